"""The HTTP face of the server, and how to run it inside a test.

    async with serve() as api:                      # on the test's own event loop
        person = api.person("Amina", language_code="ar")
        await person.say("مرحبا")
        [answer] = await person.wait_for_messages(1, timeout=5)

    with serve_in_thread() as api:                  # from a test that is not async
        api.run(person.say("سلام"))

`api.url` is what TELEGRAM_API_URL wants.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .client import Person
from .control import control_routes
from .errors import ApiError
from .faults import Fault, Faults
from .methods import METHODS, Method, perform
from .params import Json, Params, read_params
from .state import Bot, Call, World

T = TypeVar("T")

DEFAULT_TOKEN = "123456:local-test-token"
Transports = dict[tuple[str, int], asyncio.Transport]


def create_app(world: World, transports: Transports | None = None) -> Starlette:
    """The application for a world; without `transports` the fault "cut" cannot be played."""
    app = Starlette(
        routes=[
            Route("/bot{token}/{method}", _api, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", _file),
            *control_routes(),
        ],
        exception_handlers={404: _not_found, 405: _not_found},
    )
    app.state.world = world
    app.state.transports = transports if transports is not None else {}
    return app


# --- one call -----------------------------------------------------------------------------


async def _api(request: Request) -> Response:
    world: World = request.app.state.world
    name = request.path_params["method"]
    try:
        bot = world.bot(request.path_params["token"])
        method = METHODS.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        params = await read_params(request, most_bytes=world.limits.upload_bytes)
    except ApiError as error:
        world.record(Call(name, {}, error.code, world.clock()))
        return _failed(error)
    return await _answer(bot, method, params)


async def _answer(bot: Bot, method: Method, params: Params) -> Response:
    """Do the call, unless a scripted fault comes before; spoil the answer if one comes after."""
    world = bot.world
    fault = world.faults.pick(method.name, params.chat_id())
    if fault is not None and not fault.after:
        await world.linger(fault.delay_s)
    if fault is not None and not fault.after and fault.kind != "slow":
        response = _spoiled(fault)
    else:
        response = await _done(bot, method, params)
    if fault is not None and fault.after:
        await world.linger(fault.delay_s)
        response = response if fault.kind == "slow" else _spoiled(fault)
    status = 0 if isinstance(response, Cut) else response.status_code
    unknown = frozenset(params.names - method.known)
    world.record(Call(method.name, params.values, status, world.clock(), unknown))
    return response


async def _done(bot: Bot, method: Method, params: Params) -> Response:
    try:
        result = await perform(bot, method, params)
    except ApiError as error:
        return _failed(error)
    return JSONResponse({"ok": True, "result": result})


def _failed(error: ApiError) -> JSONResponse:
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    headers = {}
    if error.retry_after is not None:
        body["parameters"] = {"retry_after": error.retry_after}
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(body, status_code=error.code, headers=headers)


def _spoiled(fault: Fault) -> Response:
    if fault.kind == "cut":
        return Cut()
    if fault.kind == "nonsense":
        return Response("<html><body>Sign in to the network</body></html>", media_type="text/html")
    return _failed(ApiError(fault.status, fault.description, retry_after=fault.retry_after))


class Cut(Response):
    """No answer at all: the connection is reset under the caller."""

    async def __call__(self, scope: Scope, receive: Receive, _: Send) -> None:
        transport = scope["app"].state.transports.get(tuple(scope["client"]))
        if transport is None:
            raise RuntimeError("this server was not started by serve(): it cannot cut a line")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _file(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        bot = world.bot(request.path_params["token"])
    except ApiError as error:
        return _failed(error)
    for file in bot.files.values():
        if file.path == request.path_params["path"]:
            return Response(file.content, media_type="application/octet-stream")
    return _failed(ApiError(404, "Not Found"))


async def _not_found(_: Request, __: Exception) -> Response:
    return _failed(ApiError(404, "Not Found"))


async def _call_from_webhook(bot: Bot, name: str, values: Json) -> None:
    """What a webhook's answer asked for: like any call, but nobody hears the result."""
    method = METHODS.get(name.lower())
    if method is not None and not method.name.startswith(("get", "setWebhook", "deleteWebhook")):
        await _answer(bot, method, Params(values))


# --- running ------------------------------------------------------------------------------


@dataclass
class Server:
    """A running server: where it listens, and everything a test does to it."""

    world: World
    bot: Bot
    port: int
    loop: asyncio.AbstractEventLoop = field(repr=False)

    @property
    def url(self) -> str:
        """scheme://host:port, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The token of the bot."""
        return self.bot.token

    @property
    def faults(self) -> Faults:
        """Where faults are scripted."""
        return self.world.faults

    def person(self, name: str = "Amina", *, language_code: str = "", username: str = "") -> Person:
        """A new person, who has not written to the bot yet."""
        return Person(self.bot, name, language_code=language_code, username=username)

    async def wait_for_call(self, method: str, n: int = 1, timeout: float = 5.0) -> list[Call]:
        """The calls of a method so far, once there are `n` of them."""
        return await self.world.wait_for_call(method, n, timeout)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's loop, from another thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


class _Uvicorn(uvicorn.Server):
    """Uvicorn that says when it is ready and leaves the signals to whoever runs the tests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.leave = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Uvicorn looks ten times a second whether to stop; this one is told."""
        await self.on_tick(0)
        await self.leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the lines; answers under way get a second. Uvicorn's own sleeps meanwhile."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=1)
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.sleep(0)  # one round of the loop, in which the lines are told

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def protocol_into(transports: Transports) -> type[H11Protocol]:
    """An HTTP protocol that notes its connections, so that a fault can cut one."""

    class Noted(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._peer = tuple(transport.get_extra_info("peername")[:2])
            transports[self._peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self._peer, None)
            super().connection_lost(exc)

    return Noted


@contextlib.asynccontextmanager
async def listening(
    app: Starlette, *, host: str = "127.0.0.1", port: int = 0, transports: Transports | None = None
) -> AsyncIterator[int]:
    """Serve any application on this event loop; gives the port."""
    listener = _listener(host, port)
    server = _Uvicorn(
        uvicorn.Config(
            app,
            http=protocol_into(transports if transports is not None else {}),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _ready_or_broken(server, running)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        server.leave.set()
        await running
        listener.close()


@contextlib.asynccontextmanager
async def serve(
    world: World | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str = DEFAULT_TOKEN,
) -> AsyncIterator[Server]:
    """Run a server on this event loop; port 0 takes a free one. A world given again, at
    the same port, is a Telegram that was away for a while and kept everything."""
    world = world or World()
    bot = world.bots.get(token) or world.add_bot(token)
    bot.updates.on_reply = lambda name, values: _call_from_webhook(bot, name, values)
    transports: Transports = {}
    app = create_app(world, transports)
    async with listening(app, host=host, port=port, transports=transports) as bound:
        await world.open()
        try:
            yield Server(world, bot, bound, asyncio.get_running_loop())
        finally:
            await world.close()


async def _ready_or_broken(server: _Uvicorn, running: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if running.done():
        running.result()


def _listener(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off; without, each answer
    # waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


@contextlib.contextmanager
def serve_in_thread(world: World | None = None, *, port: int = 0, token: str = DEFAULT_TOKEN) -> Iterator[Server]:
    """Run a server beside a test that is not async; use `Server.run` to do things on it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def on_loop(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    running = serve(world, port=port, token=token)
    try:
        server = on_loop(_entered(running))
        try:
            yield server
        finally:
            on_loop(_left(running))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _entered(running: contextlib.AbstractAsyncContextManager[Server]) -> Server:
    return await running.__aenter__()


async def _left(running: contextlib.AbstractAsyncContextManager[Server]) -> None:
    await running.__aexit__(None, None, None)

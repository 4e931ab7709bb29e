"""The web chat: the same queue and the same answers, for people without Telegram."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot import inbox, outbox, people
from bot.gateway_store import GatewayStore
from bot.incoming import Incoming, Sent
from bot.metrics import Metrics
from bot.people import WEB, Address
from bot.render import direction_of, laid_out, readable
from bot.telegram_updates import KNOWN_COMMANDS
from content.languages import SOURCE_LANGUAGE
from content.messages import Message
from content.speaker import Speaker

HERE = Path(__file__).resolve().parent / "web"
MAX_BODY = 64 * 1024
MAX_WAIT_SECONDS = 20.0
MAX_DATA = 64
MAX_KEY = 64
_UI = "utter_ui_"


class WebChat:
    """The pages and the four calls of the web chat."""

    def __init__(self, *, store: GatewayStore, speaker: Speaker, metrics: Metrics, wake: Any, version: str) -> None:
        self._store = store
        self._speaker = speaker
        self._metrics = metrics
        self._wake = wake
        self._version = version
        self._news = asyncio.Condition()
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def routes(self) -> list[Route | Mount]:
        """What the gateway serves for the web chat."""
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/chat", self.begin, methods=["POST"]),
            Route("/chat", self.end, methods=["DELETE"]),
            Route("/chat/messages", self.say, methods=["POST"]),
            Route("/chat/messages", self.read, methods=["GET"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    async def tell(self) -> None:
        """Something was queued: waiting browsers look again."""
        async with self._news:
            self._news.notify_all()

    async def page(self, request: Request) -> Response:
        """The one page, in the language asked for or the browser's."""
        code = self._page_language(request)
        context = {
            "lang": code,
            "dir": self._speaker.languages[code].direction,
            "languages": list(self._speaker.languages),
            "strings": self._strings(code),
            "all_strings_json": Markup(self._all_strings()),  # noqa: S704 - escaped by _all_strings
            "version": self._version,
        }
        return HTMLResponse(self._pages.get_template("chat.html").render(context))

    async def begin(self, request: Request) -> Response:
        """A new chat: a token that only this page knows."""
        token = secrets.token_urlsafe(32)
        hint = self._page_language(request, default=None)
        address = Address(WEB, token, hint)
        try:
            await self._store.do(
                lambda session: people.find_or_make(session, self._store.vault, address, time.time()).id
            )
        except SQLAlchemyError:
            return _problem(503, "The chat could not be opened.")
        return JSONResponse({"token": token}, status_code=201)

    async def end(self, request: Request) -> Response:
        """The chat is over: everything of it is deleted."""
        person_id = await self._person(request)
        if person_id is None:
            return _problem(401, "This chat has ended.")
        await self._store.do(lambda session: people.forget(session, person_id))
        return Response(status_code=204)

    async def say(self, request: Request) -> Response:
        """Store what the person wrote or tapped."""
        token = _token(request)
        body = await _body(request)
        if isinstance(body, Response):
            return body
        incoming = read_body(body)
        if incoming is None:
            return _problem(400, 'Send {"text": …} or {"data": …}.')
        try:
            person_id = await self._person(request)
            if token is None or person_id is None:
                return _problem(401, "This chat has ended.")
            key = _source_key(person_id, request.headers.get("idempotency-key"))
            address = Address(WEB, token)
            stored, message_id = await self._store.do(
                lambda session: (
                    inbox.store(
                        session, self._store.vault, source_key=key, address=address, incoming=incoming, now=time.time()
                    ),
                    inbox.id_of(session, key),
                )
            )
        except SQLAlchemyError:
            return _problem(503, self._speaker.catalogue.line("utter_not_stored", SOURCE_LANGUAGE))
        if stored is not None:
            self._metrics.received.labels(WEB, incoming.kind.value).inc()
        self._wake.set()
        return JSONResponse({"id": message_id}, status_code=202)

    async def read(self, request: Request) -> Response:
        """What was said after a message; waits up to ``wait`` seconds for something to say."""
        person_id = await self._person(request)
        if person_id is None:
            return _problem(401, "This chat has ended.")
        after = _number(request.query_params.get("after"))
        wait = min(float(_number(request.query_params.get("wait"))), MAX_WAIT_SECONDS)
        deadline = time.monotonic() + wait
        while True:
            rows = await self._store.do(lambda session: outbox.read_after(session, self._store.vault, person_id, after))
            if rows is None:
                return _problem(401, "This chat has ended.")
            left = deadline - time.monotonic()
            if rows or left <= 0:
                return JSONResponse([self._shown(row_id, message) for row_id, message in rows])
            await self._wait(min(left, 1.0))

    async def _wait(self, seconds: float) -> None:
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait(), seconds)
            except TimeoutError:
                return

    async def _person(self, request: Request) -> str | None:
        token = _token(request)
        if token is None:
            return None

        def work(session: Any) -> str | None:
            person = people.find(session, self._store.vault, WEB, token)
            return person.id if person else None

        return await self._store.do(work)

    def _shown(self, row_id: int, message: Message) -> dict[str, Any]:
        direction = direction_of(message.language, self._speaker.languages)
        buttons = [b for row in laid_out(message.rows, "ltr") for b in row]
        return {
            "id": row_id,
            "from": "bot",
            "kind": message.kind.value,
            "lang": message.language,
            "dir": direction,
            "text": readable(message, self._speaker.languages),
            "buttons": [{"title": button.title, "data": button.data} for button in buttons],
        }

    def _page_language(self, request: Request, default: str | None = SOURCE_LANGUAGE) -> Any:
        asked = request.query_params.get("lang", "")
        wanted = [
            asked,
            *[part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")],
        ]
        found = (self._speaker.languages.from_telegram(tag) for tag in wanted if tag)
        return next((code for code in found if code), default)

    def _strings(self, code: str) -> dict[str, str]:
        names = [name for name in self._speaker.catalogue.responses if name.startswith(_UI)]
        return {name.removeprefix(_UI): self._speaker.catalogue.line(name, code) for name in names}

    def _all_strings(self) -> str:
        table = {language.code: self._strings(language.code) for language in self._speaker.languages}
        text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def read_body(body: dict[str, Any]) -> Incoming | None:
    """A person's words or tap; ``None`` where the body is neither."""
    data = body.get("data")
    if isinstance(data, str) and len(data.encode("utf-8", "surrogatepass")) <= MAX_DATA and _whole(data):
        return Incoming(Sent.BUTTON, data=data)
    text = body.get("text")
    if not isinstance(text, str):
        return None
    name, _, rest = text.strip().removeprefix("/").partition(" ")
    if text.strip().startswith("/") and name.lower() in KNOWN_COMMANDS:
        return Incoming(Sent.COMMAND, text=rest, data=name.lower())
    return Incoming(Sent.TEXT, text=text)


def _whole(text: str) -> bool:
    """Whether a text has no half characters (lone surrogates), which JSON allows and no encoding has."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _source_key(person_id: str, given: str | None) -> str:
    """The key of a message: the page sends the same one with every try, so that no try counts twice."""
    if given and len(given) <= MAX_KEY and given.isascii() and given.isalnum():
        return "web:" + hashlib.sha256(f"{person_id}:{given}".encode()).hexdigest()[:48]
    return f"web:{secrets.token_hex(16)}"


async def _body(request: Request) -> dict[str, Any] | Response:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        return _problem(413, "The message is too long.")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            return _problem(413, "The message is too long.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return _problem(400, "The body is not JSON.")
    return body if isinstance(body, dict) else _problem(400, "The body is not an object.")


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


def _problem(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status_code=status)

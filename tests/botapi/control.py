"""The control page and the HTTP calls behind it, for trying the product without an account.

Whoever starts the server sits at the same machine, so there is no login; it listens on
loopback. Scripts in another process may use the same calls:

    GET    /_control/people                      who there is
    POST   /_control/people                      {"name", "language_code"}
    GET    /_control/people/ID/messages?after=N  the chat; waits up to 25 s for a change
    POST   /_control/people/ID/ACTION            {arguments of that method of `Person`}
    POST   /_control/faults                      {"kind", "method", "times", …} as in faults.Fault
    DELETE /_control/faults                      all well again
    GET    /_control/calls                       how often each method was called, and answered
"""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .client import Person
from .faults import Fault
from .params import Json
from .state import Bot, World

PAGE = Path(__file__).with_name("page.html")
ACTIONS = (
    "start",
    "say",
    "tap",
    "share_location",
    "send_contact",
    "sticker",
    "photo",
    "voice",
    "video_note",
    "document",
    "forward",
    "edit",
    "delete",
    "block",
    "unblock",
    "change_language",
)
WAIT_S = 25.0


def control_routes() -> list[Route]:
    """The routes of the control page."""
    return [
        Route("/", _page),
        Route("/_control/people", _people, methods=["GET", "POST"]),
        Route("/_control/people/{id:int}/messages", _messages),
        Route("/_control/people/{id:int}/{action}", _act, methods=["POST"]),
        Route("/_control/faults", _faults, methods=["POST", "DELETE"]),
        Route("/_control/calls", _calls),
    ]


async def _page(_: Request) -> Response:
    return HTMLResponse(PAGE.read_text(encoding="utf-8"))


async def _people(request: Request) -> Response:
    people = _known(request)
    if request.method == "POST":
        try:
            person = Person(_bot(request), **await request.json())
        except TypeError as error:
            return _wrong(error)
        people[person.id] = person
        return JSONResponse(_shown(person), status_code=201)
    return JSONResponse([_shown(one) for one in people.values()])


async def _act(request: Request) -> Response:
    person = _known(request).get(request.path_params["id"])
    action = request.path_params["action"]
    if person is None or action not in ACTIONS:
        return JSONResponse({"error": "no such person or action"}, status_code=404)
    call = getattr(person, action)
    try:
        inspect.signature(call).bind(**(arguments := await _arguments(request)))
        result = await call(**arguments)
    except (TypeError, ValueError, LookupError, RuntimeError) as error:
        return _wrong(error)
    return JSONResponse({"message_id": result if isinstance(result, int) else None})


async def _messages(request: Request) -> Response:
    """The whole chat once its version differs from `after`, or after a while anyway."""
    person = _known(request).get(request.path_params["id"])
    if person is None:
        return JSONResponse({"error": "no such person"}, status_code=404)
    after, closing = request.query_params.get("after", ""), request.app.state.world.closing
    with contextlib.suppress(TimeoutError):
        await person.wait_until(lambda: _version(person) != after or closing.is_set(), WAIT_S)
    there = [one for one in person.chat.messages.values() if not one.deleted]
    shown = [_line(one.body, one.from_bot) for one in there]
    return JSONResponse({"version": _version(person), "messages": shown})


async def _faults(request: Request) -> Response:
    world: World = request.app.state.world
    if request.method == "DELETE":
        world.faults.clear()
        return Response(status_code=204)
    try:
        world.faults.add(Fault(**await _arguments(request)))
    except (TypeError, ValueError) as error:
        return _wrong(error)
    return Response(status_code=201)


async def _calls(request: Request) -> Response:
    world: World = request.app.state.world
    return JSONResponse({f"{name} {status}": n for (name, status), n in world.counts.items()})


def _known(request: Request) -> dict[int, Person]:
    state = request.app.state
    if not hasattr(state, "people"):
        state.people = {}
    people: dict[int, Person] = state.people
    return people


def _bot(request: Request) -> Bot:
    world: World = request.app.state.world
    return next(iter(world.bots.values()))


async def _arguments(request: Request) -> Json:
    body = await request.body()
    decoded = await request.json() if body else {}
    if not isinstance(decoded, dict):
        raise TypeError("a JSON object is expected")
    return decoded


def _wrong(error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


def _shown(person: Person) -> Json:
    blocked = person.chat.standing == "kicked"
    language = person.user.language_code
    return {
        "id": person.id,
        "name": person.user.first_name,
        "language_code": language,
        "blocked": blocked,
    }


def _version(person: Person) -> str:
    messages = person.chat.messages.values()
    edits = sum(one.body.get("edit_date", 0) for one in messages)
    return f"{len(messages)}.{sum(one.deleted for one in messages)}.{edits}"


def _line(body: Json, from_bot: bool) -> Json:
    kinds = ("location", "contact", "sticker", "photo", "voice", "video_note", "document")
    other = next((kind for kind in kinds if kind in body), "")
    return {
        "id": body["message_id"],
        "from_bot": from_bot,
        "kind": other,
        "text": body.get("text", body.get("caption", "")),
        "entities": body.get("entities", body.get("caption_entities", [])),
        "rows": body.get("reply_markup", {}).get("inline_keyboard", []),
    }

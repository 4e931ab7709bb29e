"""Small builders for tests: Telegram updates, queue entries, and project folders of a few lines."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from telegram import Bot, Update

from bot.incoming import Incoming, Sent
from bot.people import TELEGRAM, Address
from content.languages import Languages
from content.messages import Button, Kind, Message
from content.strings import as_text, catalogue_path, compile_catalogues
from settings import ROOT

LANGUAGES = Languages.load(ROOT / "content" / "languages.yml")
CODES = LANGUAGES.codes
RIGHT_TO_LEFT = tuple(language.code for language in LANGUAGES if language.direction == "rtl")
DAY = 86_400.0

# The same examples on every machine and no limit of time: a slow runner is no failure.
thorough = hypothesis_settings(
    deadline=None, derandomize=True, max_examples=300, suppress_health_check=[HealthCheck.too_slow]
)

# --- Telegram ---------------------------------------------------------------------------------

CHAT, PERSON = 4077, 4077
PLACE = 31  # the id of a message in its chat
_BOT = Bot("1:test")


def user(*, language: str = "ur", **fields: Any) -> dict[str, Any]:
    """A Telegram account."""
    return {"id": PERSON, "is_bot": False, "first_name": "Zarmina", "language_code": language, **fields}


def chat(kind: str = "private", **fields: Any) -> dict[str, Any]:
    """A Telegram chat."""
    return {"id": CHAT, "type": kind, **fields}


def message(**fields: Any) -> dict[str, Any]:
    """A Telegram message in a private chat, without content unless given."""
    return {"message_id": PLACE, "date": 1_790_000_000, "chat": chat(), "from": user(), **fields}


def update(update_id: int = 1, **kind: Any) -> dict[str, Any]:
    """An update as Telegram posts it; ``kind`` is ``message=…``, ``callback_query=…`` and so on."""
    return {"update_id": update_id, **kind}


def text_update(text: str = "salam", update_id: int = 1) -> dict[str, Any]:
    """The commonest update."""
    return update(update_id, message=message(text=text))


def tap(data: str = "m:", **fields: Any) -> dict[str, Any]:
    """A tap on a button under a message of ours."""
    ours = message(text="a menu", **{"from": {"id": 1, "is_bot": True, "first_name": "Rahnuma"}})
    return {"id": "tap-9", "from": user(), "chat_instance": "1", "message": ours, "data": data, **fields}


def membership(status: str, chat_kind: str = "private") -> dict[str, Any]:
    """The bot's own membership in a chat changed to ``status``."""
    ours = {"id": 1, "is_bot": True, "first_name": "Rahnuma"}

    def member(state: str) -> dict[str, Any]:
        return {"status": state, "user": ours, **({"until_date": 0} if state == "kicked" else {})}

    return {
        "chat": chat(chat_kind),
        "from": user(),
        "date": 1_790_000_000,
        "old_chat_member": member("member"),
        "new_chat_member": member(status),
    }


def parsed(data: dict[str, Any]) -> Update:
    """An update as python-telegram-bot reads it."""
    result = Update.de_json(data, _BOT)
    assert result is not None
    return result


# --- the gateway's queues -----------------------------------------------------------------------


def address(value: str = "4077", *, channel: str = TELEGRAM, hint: str | None = None) -> Address:
    """Where somebody writes from."""
    return Address(channel, value, hint)


def words(text: str = "where can I sleep") -> Incoming:
    """A text that somebody sent."""
    return Incoming(Sent.TEXT, text=text, message_id=PLACE)


def said(text: str = "an answer", kind: Kind = Kind.ANSWER, language: str = "en", *buttons: Button) -> Message:
    """A message of ours."""
    return Message(text, language, rows=tuple((button,) for button in buttons), kind=kind, response="utter_test")


# --- project folders ----------------------------------------------------------------------------


def copied_project(root: Path, source: Path = ROOT) -> Path:
    """A copy of the real ``domain/`` and ``content/`` that a test may break."""
    for name in ("domain", "content"):
        shutil.copytree(source / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return root


def small_project(root: Path, responses: dict[str, Any]) -> Path:
    """A project folder with our languages and just these responses, without translations."""
    (root / "domain").mkdir(parents=True, exist_ok=True)
    (root / "content").mkdir(exist_ok=True)
    shutil.copy(ROOT / "content" / "languages.yml", root / "content")
    write_domain(root, responses)
    return root


def write_domain(root: Path, responses: dict[str, Any], area: str = "area") -> Path:
    """Write a domain file; a response given as a string is its text."""
    rows = {name: [{"text": value}] if isinstance(value, str) else value for name, value in responses.items()}
    path = root / "domain" / f"{area}.yml"
    path.write_text(yaml.safe_dump({"version": "3.1", "responses": rows}, allow_unicode=True), encoding="utf-8")
    return path


def translate(
    root: Path, code: str, entries: dict[tuple[str, str], str], *, fuzzy: bool = False, state: str | None = None
) -> Path:
    """Write a catalogue of ``(response, English): translation`` and compile it."""
    catalog = Catalog(locale=code)
    for (context, english), translation in entries.items():
        comments = [f"state: {state}"] if state else []
        catalog.add(english, translation, context=context, flags={"fuzzy"} if fuzzy else (), user_comments=comments)
    path = catalogue_path(root / "content" / "locale", code)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_text(catalog))
    compile_catalogues(root)
    return path

"""The gateway's line to Rasa: understand a text, take a turn. Every failure is one exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from bot.decide import Ranking
from content import keys
from content.messages import Button, Kind, Message

_PARSE_SECONDS = 8.0
_TURN_SECONDS = 20.0
_PROBE_SECONDS = 2.0


class RasaFailed(Exception):
    """Rasa is away, slow, or answered nonsense; the text says which."""


@dataclass(frozen=True)
class Turn:
    """What Rasa needs to know to take a turn; no words and no address."""

    id: str
    sender: str
    intent: str
    language: str
    site: str | None
    guesses: tuple[str, ...] = ()


class RasaClient:
    """Talks to one Rasa server over HTTP."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=_TURN_SECONDS)

    async def parse(self, text: str) -> Ranking:
        """The ranking of topics for a text, best first; Rasa stores nothing."""
        data = await self._post("/model/parse", {"text": text}, _PARSE_SECONDS)
        try:
            ranking = [(str(row["name"]), float(row["confidence"])) for row in data["intent_ranking"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RasaFailed("the parse has no ranking") from error
        if not ranking:
            raise RasaFailed("the parse has an empty ranking")
        return ranking

    async def take(self, turn: Turn) -> list[Message]:
        """Send an intent; the messages that come back, which must carry the turn's id."""
        metadata = {"turn": turn.id, "language": turn.language, "site": turn.site, "guesses": list(turn.guesses)}
        body = {"sender": turn.sender, "message": f"/{turn.intent}", "metadata": metadata}
        data = await self._post("/webhooks/rest/webhook", body, _TURN_SECONDS)
        messages = read_messages(data, turn.id)
        if not messages:
            raise RasaFailed("the turn came back empty")
        return messages

    async def alive(self) -> bool:
        """Whether Rasa answers and has a model."""
        try:
            response = await self._client.get("/status", timeout=_PROBE_SECONDS)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _post(self, path: str, body: dict[str, Any], seconds: float) -> Any:
        try:
            response = await self._client.post(path, json=body, timeout=seconds)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RasaFailed(f"{path}: {type(error).__name__}") from error


def read_messages(data: Any, turn_id: str) -> list[Message]:
    """Texts with their buttons, each followed by the envelope that carries our turn id.

    Raises :class:`RasaFailed` where a text comes without it: then it was not said for this turn.
    """
    if not isinstance(data, list):
        raise RasaFailed("the turn is not a list")
    messages: list[Message] = []
    pending: dict[str, Any] | None = None
    for row in data:
        custom = row.get("custom") if isinstance(row, dict) else None
        if custom is None:
            if pending is not None or not isinstance(row, dict) or "text" not in row:
                raise RasaFailed("a message without our turn id")
            pending = row
            continue
        if pending is None or not isinstance(custom, dict) or custom.get("turn") != turn_id:
            raise RasaFailed("a message of another turn")
        try:
            messages.append(_message(pending, custom))
        except (KeyError, TypeError, ValueError) as error:
            raise RasaFailed("a message that lacks something") from error
        pending = None
    if pending is not None:
        raise RasaFailed("a message without our turn id")
    return messages


def _message(row: dict[str, Any], custom: dict[str, Any]) -> Message:
    buttons = [Button(str(b["title"]), _data(str(b["payload"]))) for b in row.get("buttons", ())]
    rows, start = [], 0
    for length in custom.get("rows", ()):
        rows.append(tuple(buttons[start : start + length]))
        start += length
    return Message(
        text=str(row["text"]),
        language=str(custom["language"]),
        rows=tuple(rows),
        kind=Kind(custom["kind"]),
        response=str(custom["response"]),
    )


def _data(payload: str) -> str:
    return keys.TOPIC + payload[1:] if payload.startswith("/") else payload

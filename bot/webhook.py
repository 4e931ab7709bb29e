"""Telegram's webhook: checked, stored, then acknowledged."""

from __future__ import annotations

import hmac
import json
import logging
import time
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from telegram import Bot, Update
from telegram.error import TelegramError

from bot import inbox
from bot.gateway_store import GatewayStore
from bot.metrics import Metrics
from bot.people import TELEGRAM
from bot.telegram_updates import Arrived, read_update
from content.languages import Languages

logger = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header name
MAX_UPDATE = 1024 * 1024


class UpdateIntake:
    """Stores updates, from the webhook or from polling: the same path for both."""

    def __init__(self, *, store: GatewayStore, bot: Bot, languages: Languages, metrics: Metrics, wake: Any) -> None:
        self._store = store
        self._bot = bot
        self._languages = languages
        self._metrics = metrics
        self._wake = wake

    async def take(self, data: dict[str, Any]) -> None:
        """Store one update; raises ``ValueError`` where it is none, ``SQLAlchemyError`` where it cannot be stored."""
        update = parse_update(data, self._bot)
        try:
            arrived = read_update(update, self._languages)
        except (AttributeError, TypeError) as error:  # a field is missing, or is of another type
            raise ValueError("not an update") from error
        if arrived is None:
            return
        await self._store_arrived(update.update_id, arrived)
        self._wake.set()

    async def _store_arrived(self, update_id: int, arrived: Arrived) -> None:
        stored = await self._store.do(
            lambda session: inbox.store(
                session,
                self._store.vault,
                source_key=f"tg:{update_id}",
                address=arrived.address,
                incoming=arrived.incoming,
                now=time.time(),
            )
        )
        if stored is not None:
            self._metrics.received.labels(TELEGRAM, arrived.incoming.kind.value).inc()


def parse_update(data: Any, bot: Bot) -> Update:
    """An update out of JSON; raises ``ValueError`` where it is none."""
    if not isinstance(data, dict) or not isinstance(data.get("update_id"), int):
        raise ValueError("not an update")
    try:
        update = Update.de_json(data, bot)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, TelegramError) as error:
        raise ValueError("not an update") from error
    if update is None:
        raise ValueError("not an update")
    return update


class Webhook:
    """``POST /telegram/webhook``."""

    def __init__(self, intake: UpdateIntake | None, secret: str | None) -> None:
        self._intake = intake
        self._secret = secret

    async def __call__(self, request: Request) -> Response:
        """200 stored, 403 bad secret, 400 not an update, 413 too large, 404 no token, 503 not stored."""
        if self._intake is None:
            return _answer(404, "no Telegram token is configured")
        given = request.headers.get(SECRET_HEADER, "")
        if not self._secret or not hmac.compare_digest(given.encode(), self._secret.encode()):
            return _answer(403, "bad secret")
        data = await _read(request)
        if data is None:
            return _answer(413, "too large")
        try:
            await self._intake.take(json.loads(data))
        except (ValueError, RecursionError):
            return _answer(400, "not an update")
        except SQLAlchemyError as error:
            logger.error("an update could not be stored: %s", type(error).__name__)
            return _answer(503, "not stored")
        return _answer(200, "stored")


async def _read(request: Request) -> bytes | None:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_UPDATE:
            return None
    return data


def _answer(status: int, text: str) -> JSONResponse:
    return JSONResponse({"ok": status == 200, "description": text}, status_code=status)

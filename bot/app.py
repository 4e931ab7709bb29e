"""The gateway as a Starlette app, with its workers beside it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telegram.error import InvalidToken, TelegramError

from bot import inbox, outbox, people
from bot.conversation import Conversation, forget_safety_sent
from bot.crypto import Vault
from bot.gateway_store import GatewayStore
from bot.health import Health
from bot.metrics import Metrics
from bot.poller import poll
from bot.rasa_client import RasaClient
from bot.sender import Sender
from bot.telegram_channel import ALLOWED_UPDATES, TelegramChannel
from bot.understanding import Reader
from bot.web_chat import HERE, WebChat
from bot.webhook import UpdateIntake, Webhook
from bot.worker import Workers
from content.speaker import Speaker
from settings import ROOT, Settings
from store.engine import make_engine

logger = logging.getLogger(__name__)

_CLEAN_SECONDS = 60.0
_KEPT_SECONDS = 2 * 86_400  # Telegram repeats an update for 24 hours
_SETUP_PAUSE = 5.0

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}


class Gateway:
    """Everything the gateway is made of, built from settings."""

    def __init__(self, settings: Settings, *, model: Path | None) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.speaker = Speaker.load(ROOT)
        self.store = GatewayStore(settings.gateway_database_url, Vault(settings.secret_key))
        self.records = make_engine(settings.database_url)
        self.rasa = RasaClient(settings.rasa_url)
        self.reader = Reader.load(ROOT, self.speaker.topics, model)
        self.channel = self._channel()
        self.conversation = Conversation(speaker=self.speaker, reader=self.reader, rasa=self.rasa, today=_today)
        self.sender = Sender(self.store, self.channel, self.metrics) if self.channel else None
        self.workers = Workers(
            store=self.store,
            conversation=self.conversation,
            channel=self.channel,
            records=self.records,
            metrics=self.metrics,
            queued=self._queued,
        )
        self.intake = self._intake()
        self.health = Health(
            store=self.store,
            records=self.records,
            rasa=self.rasa,
            actions_url=f"http://127.0.0.1:{settings.actions_port}",
            redis_url=settings.redis_url,
            metrics=self.metrics,
        )
        self.web_chat = WebChat(
            store=self.store,
            speaker=self.speaker,
            metrics=self.metrics,
            wake=self.workers.wake,
            version=_static_version(),
        )

    def app(self) -> Starlette:
        """The app; its lifespan runs the workers, the sender and polling."""
        webhook = Webhook(self.intake, self.settings.telegram_webhook_secret)

        async def receive(request: Request) -> Response:
            return await webhook(request)

        routes = [
            Route("/health", self._health, methods=["GET"]),
            Route("/telegram/webhook", receive, methods=["POST"]),
            *self.web_chat.routes(),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(SecurityHeaders)],
            lifespan=self._lifespan,
            exception_handlers={SQLAlchemyError: _database_away},
        )

    async def _health(self, request: Request) -> Response:
        report = await self.health.report()
        return JSONResponse(report, status_code=503 if report["status"] == "down" else 200)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        loops = [self.workers.run(), self._clean()]
        if self.sender and self.channel:
            loops += [self.sender.run(), self._telegram(self.channel)]
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    async def _telegram(self, channel: TelegramChannel) -> None:
        """Set the account up, then poll where there is no webhook; keeps trying while Telegram is away."""
        while True:
            try:
                await channel.start()
                await self._set_up_webhook(channel)
                await channel.describe(self.speaker)
                break
            except InvalidToken:
                logger.error("TELEGRAM_TOKEN: Telegram does not know this token")
                return
            except TelegramError as error:
                logger.warning("Telegram is not set up yet: %s", type(error).__name__)
                await asyncio.sleep(_SETUP_PAUSE)
        if not self.settings.public_url and self.intake:
            await poll(channel.bot, self.intake)

    async def _set_up_webhook(self, channel: TelegramChannel) -> None:
        if self.settings.public_url:
            await channel.bot.set_webhook(
                f"{self.settings.public_url}/telegram/webhook",
                secret_token=self.settings.telegram_webhook_secret,
                allowed_updates=ALLOWED_UPDATES,
                drop_pending_updates=False,
            )
        else:
            await channel.bot.delete_webhook(drop_pending_updates=False)

    async def _clean(self) -> None:
        """Delete what has had its time; fold SQLite's log, so that deleted text is gone from disk."""
        while True:
            try:
                await self.store.do(_purge)
                await self.store.forget_deleted_text()
            except SQLAlchemyError as error:
                logger.warning("cleaning paused: %s", type(error).__name__)
            await asyncio.sleep(_CLEAN_SECONDS)

    async def _close(self) -> None:
        await self.rasa.close()
        await self.health.close()
        if self.channel:
            with contextlib.suppress(TelegramError, RuntimeError):
                await self.channel.stop()
        self.store.close()
        self.records.dispose()

    def _queued(self) -> None:
        if self.sender:
            self.sender.wake.set()
        asyncio.get_running_loop().create_task(self.web_chat.tell())

    def _channel(self) -> TelegramChannel | None:
        if not self.settings.telegram_token:
            return None
        return TelegramChannel(self.settings.telegram_token, self.settings.telegram_api_url, self.speaker.languages)

    def _intake(self) -> UpdateIntake | None:
        if self.channel is None:
            return None
        return UpdateIntake(
            store=self.store,
            bot=self.channel.bot,
            languages=self.speaker.languages,
            metrics=self.metrics,
            wake=self.workers.wake,
        )


class SecurityHeaders:
    """Adds the same strict headers to every answer; nothing is kept by a browser or a proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wraps one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lasting = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                found = message["status"] in (200, 206, 304)
                cache = b"public, max-age=31536000, immutable" if lasting and found else b"no-store"
                message["headers"] = [*message["headers"], *headers, (b"cache-control", cache)]
            await send(message)

        await self._app(scope, receive, with_headers)


async def _database_away(request: Request, error: Exception) -> Response:
    logger.error("the store did not answer: %s", type(error).__name__)
    return JSONResponse({"error": "The store does not answer."}, status_code=503)


def _purge(session: Any) -> None:
    now = time.time()
    inbox.purge_done(session, now - _KEPT_SECONDS)
    outbox.purge(session, now)
    people.forget_the_silent(session, datetime.fromtimestamp(now, UTC).date())
    people.forget_what_is_old(session, now)
    people.forget_closed_pages(session, now)
    forget_safety_sent(session, now)


def _static_version() -> str:
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def _today() -> date:
    return datetime.now(UTC).date()

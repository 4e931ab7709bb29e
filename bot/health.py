"""The state of each part, for ``GET /health``."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import httpx
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot import inbox
from bot.gateway_store import GatewayStore
from bot.metrics import Metrics
from bot.rasa_client import RasaClient
from store.engine import reachable

logger = logging.getLogger(__name__)

UP, DOWN, UNUSED = "ok", "down", "unused"
_FRESH_SECONDS = 1.0
_PROBE_SECONDS = 2.0


class Health:
    """Asks each part, at most once a second."""

    def __init__(
        self,
        *,
        store: GatewayStore,
        records: Engine,
        rasa: RasaClient,
        actions_url: str,
        redis_url: str | None,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._records = records
        self._rasa = rasa
        self._actions_url = actions_url
        self._redis = redis.asyncio.from_url(redis_url, socket_timeout=_PROBE_SECONDS) if redis_url else None
        self._client = httpx.AsyncClient(timeout=_PROBE_SECONDS)
        self._metrics = metrics
        self._report: dict[str, Any] = {}
        self._at = 0.0
        self._lock = asyncio.Lock()

    async def report(self) -> dict[str, Any]:
        """``status``, ``parts`` and ``oldest_unanswered_s`` as docs/contracts.md says."""
        async with self._lock:
            if time.monotonic() - self._at > _FRESH_SECONDS:
                self._report = await self._ask()
                self._at = time.monotonic()
            return self._report

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        if self._redis:
            await self._redis.aclose()

    async def _ask(self) -> dict[str, Any]:
        rasa, actions, records, (store, oldest), redis_state = await asyncio.gather(
            self._rasa.alive(), self._actions(), self._records_up(), self._store_up(), self._redis_up()
        )
        parts = {
            "rasa": UP if rasa else DOWN,
            "actions": UP if actions else DOWN,
            "records": UP if records else DOWN,
            "gateway_store": UP if store else DOWN,
            "redis": redis_state,
        }
        self._metrics.oldest_waiting.set(oldest)
        return {"status": overall(parts), "parts": parts, "oldest_unanswered_s": round(oldest)}

    async def _actions(self) -> bool:
        try:
            return (await self._client.get(f"{self._actions_url}/health")).status_code == 200
        except httpx.HTTPError:
            return False

    async def _records_up(self) -> bool:
        probe = asyncio.get_running_loop().run_in_executor(None, reachable, self._records)
        try:
            return await asyncio.wait_for(probe, _PROBE_SECONDS)
        except TimeoutError:
            return False

    async def _store_up(self) -> tuple[bool, float]:
        try:
            work = self._store.do(lambda session: inbox.oldest_waiting(session, time.time()))
            return True, await asyncio.wait_for(work, _PROBE_SECONDS)
        except (SQLAlchemyError, TimeoutError):
            return False, 0.0

    async def _redis_up(self) -> str:
        if self._redis is None:
            return UNUSED
        try:
            await self._redis.ping()
        except (RedisError, OSError):
            return DOWN
        return UP


def overall(parts: dict[str, str]) -> str:
    """``down`` where messages cannot be stored, ``degraded`` where anything is down, else ``ok``."""
    if parts["gateway_store"] == DOWN:
        return "down"
    return "degraded" if DOWN in parts.values() else "ok"

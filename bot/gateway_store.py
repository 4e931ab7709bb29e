"""The gateway's database behind one door: whole transactions, run off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.crypto import Vault
from store.engine import forget_deleted_text, is_sqlite, make_engine, migrate

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

Result = TypeVar("Result")


class GatewayStore:
    """Runs functions on a session, each in a transaction of its own.

    SQLite gets one thread, so that writers queue up in memory; PostgreSQL gets eight.
    """

    def __init__(self, url: str, vault: Vault) -> None:
        self.engine: Engine = make_engine(url)
        self.vault = vault
        self._pool = ThreadPoolExecutor(1 if is_sqlite(self.engine) else 8, thread_name_prefix="store")

    def migrate(self) -> None:
        """Bring the tables up to date."""
        migrate(self.engine, MIGRATIONS)

    def run(self, work: Callable[[Session], Result]) -> Result:
        """Do work in one transaction, here and now."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    async def do(self, work: Callable[[Session], Result]) -> Result:
        """Do work in one transaction, without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.run, work)

    async def forget_deleted_text(self) -> None:
        """See :func:`store.engine.forget_deleted_text`."""
        await asyncio.get_running_loop().run_in_executor(self._pool, forget_deleted_text, self.engine)

    def close(self) -> None:
        """Let go of threads and connections."""
        self._pool.shutdown(wait=True)
        self.engine.dispose()

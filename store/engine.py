"""Engines for SQLite and PostgreSQL that keep what they have confirmed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

_BUSY_SECONDS = 10


def make_engine(url: str) -> Engine:
    """An engine for a database address.

    SQLite: write-ahead log, ``synchronous=FULL``, deleted text overwritten, and every transaction
    begun ``IMMEDIATE``, so that a writer waits at its start instead of failing in the middle.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=8, connect_args={"connect_timeout": 5})
    _private(make_url(url).database)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def is_sqlite(engine: Engine) -> bool:
    """Whether an engine speaks to SQLite."""
    return engine.dialect.name == "sqlite"


def reachable(engine: Engine) -> bool:
    """Whether the database answers."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return False
    return True


def migrate(engine: Engine, scripts: Path, revision: str = "head") -> None:
    """Bring a database to a revision of the migration scripts in a folder."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def forget_deleted_text(engine: Engine) -> None:
    """Fold SQLite's write-ahead log back, so that overwritten text is gone from it too."""
    if not is_sqlite(engine):
        return
    # Below SQLAlchemy, because a checkpoint cannot run inside a transaction.
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _private(database: str | None) -> None:
    """A new database file is for this user alone; SQLite gives its log the same mode."""
    if database and not Path(database).exists():
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o600))


def _set_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

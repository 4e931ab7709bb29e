"""The gateway's store on real databases: a new SQLite file, and a schema of its own on PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from bot import inbox
from bot.crypto import Vault
from bot.gateway_store import GatewayStore
from bot.incoming import Incoming
from bot.models import Base, Person
from bot.people import Address
from tests.factories import address, words

KEY = b"k" * 32
POSTGRESQL = os.environ.get("RAHNUMA_TEST_POSTGRESQL", "postgresql://root@127.0.0.1/test")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of an empty schema that goes when the tests are done."""
    server = create_engine(POSTGRESQL, connect_args={"connect_timeout": 3})
    schema = f"rahnuma_{secrets.token_hex(6)}"
    try:
        with server.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as error:
        server.dispose()
        reason = str(error.orig).splitlines()[0]
        pytest.skip(f"no PostgreSQL at {POSTGRESQL} (RAHNUMA_TEST_POSTGRESQL names another): {reason}")
    separator = "&" if "?" in POSTGRESQL else "?"
    yield f"{POSTGRESQL}{separator}options=-csearch_path%3D{schema}"
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without rows."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    url: str = request.getfixturevalue("postgresql")
    return url


@pytest.fixture
def open_store(database: str) -> Iterator[Callable[[], GatewayStore]]:
    """Opens the store, once for each process that a test imagines."""
    opened: list[GatewayStore] = []

    def open_it() -> GatewayStore:
        opened.append(GatewayStore(database, Vault(KEY)))
        return opened[-1]

    first = open_it()
    first.migrate()
    yield open_it
    with first.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], GatewayStore]) -> GatewayStore:
    """An empty store."""
    return open_store()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[GatewayStore]:
    """An empty store on SQLite, where a test is not about databases."""
    store = GatewayStore(f"sqlite:///{tmp_path / 'gateway.sqlite3'}", Vault(KEY))
    store.migrate()
    yield store
    store.close()


Receive = Callable[..., int]


@pytest.fixture
def receive(store: GatewayStore) -> Receive:
    """Stores a message of somebody; its id."""
    numbers = iter(range(1, 10_000))

    def take(
        text: str = "where can I sleep",
        *,
        by: Address | str = "4077",
        now: float = 1000.0,
        incoming: Incoming | None = None,
    ) -> int:
        source = by if isinstance(by, Address) else address(by)
        stored = store.run(
            lambda session: inbox.store(
                session,
                store.vault,
                source_key=f"test:{next(numbers)}",
                address=source,
                incoming=incoming or words(text),
                now=now,
            )
        )
        assert stored is not None
        return stored

    return take


@pytest.fixture
def person(store: GatewayStore, receive: Receive) -> Person:
    """Somebody who has written once."""
    row = receive()
    found = store.run(lambda session: session.get(Person, _owner(session, row)))
    assert found is not None
    return found


def _owner(session: object, row: int) -> str:
    from bot.models import Inbox

    return session.get_one(Inbox, row).person_id  # type: ignore[attr-defined,no-any-return]

"""The gateway's database on both engines: migrations, transactions, ids, and who may read the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, inspect, select, text

from bot import inbox, outbox, people
from bot.crypto import Vault
from bot.gateway_store import MIGRATIONS, GatewayStore
from bot.models import Base, Inbox, Outbox, Person
from store.engine import forget_deleted_text, is_sqlite, migrate, reachable
from tests.bot.conftest import KEY, Receive
from tests.conftest import free_ports
from tests.factories import address, said, words


def test_migrations_lead_to_the_tables_of_the_models(store: GatewayStore) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "bot_version"})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(store: GatewayStore, receive: Receive) -> None:
    row = receive("salam")
    store.migrate()
    claimed = store.run(lambda session: inbox.claim(session, store.vault, 1000.0))
    assert claimed is not None
    assert (claimed.id, claimed.incoming.text) == (row, "salam")


def test_all_tables_can_be_taken_down_and_made_again(store: GatewayStore) -> None:
    migrate(store.engine, MIGRATIONS, "base")
    assert not set(inspect(store.engine).get_table_names()) & set(Base.metadata.tables)
    store.migrate()
    assert set(Base.metadata.tables) <= set(inspect(store.engine).get_table_names())


def test_rows_of_the_first_version_are_kept(tmp_path: Path) -> None:
    """On SQLite the second version copies both queues into new tables."""
    store = GatewayStore(f"sqlite:///{tmp_path / 'old.sqlite3'}", Vault(KEY))
    migrate(store.engine, MIGRATIONS, "0001")
    queued = store.run(
        lambda session: inbox.store(
            session, store.vault, source_key="tg:1", address=address(), incoming=words("salam"), now=1.0
        )
    )
    store.migrate()
    claimed = store.run(lambda session: inbox.claim(session, store.vault, 1000.0))
    assert claimed is not None
    assert (claimed.id, claimed.incoming.text) == (queued, "salam")
    store.close()


def test_an_id_is_never_used_again(store: GatewayStore, receive: Receive) -> None:
    """A page asks for what came after the last id that it saw, also after "hide this" deleted the rows."""
    first = receive()
    person = store.run(lambda session: session.scalars(select(Person)).one())

    def queue(key: str) -> int:
        store.run(lambda session: outbox.put(session, store.vault, person=person, key=key, messages=[said()], now=1.0))
        return store.run(lambda session: session.scalars(select(Outbox.id).order_by(Outbox.id.desc())).first()) or 0

    shown = queue("in:1")
    store.run(lambda session: outbox.drop_all(session, person.id))
    assert queue("in:2") > shown
    store.run(lambda session: session.execute(delete(Inbox)))
    assert receive() > first


def test_work_that_fails_leaves_nothing_behind(store: GatewayStore) -> None:
    def work(session: object) -> None:
        people.find_or_make(session, store.vault, address(), 1.0)  # type: ignore[arg-type]
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.run(work)
    assert store.run(lambda session: session.scalars(select(Person)).all()) == []


def test_what_is_confirmed_is_seen_by_other_processes(open_store: Callable[[], GatewayStore]) -> None:
    one, two = open_store(), open_store()
    made = one.run(lambda session: people.find_or_make(session, one.vault, address(), 1.0).id)
    assert two.run(lambda session: people.find_or_make(session, two.vault, address(), 1.0).id) == made


def test_rows_of_a_person_go_with_the_person(store: GatewayStore, receive: Receive) -> None:
    """SQLite heeds foreign keys only where it is told to, on each connection."""
    receive()
    store.run(lambda session: session.execute(delete(Person)))
    assert store.run(lambda session: session.scalars(select(Inbox)).all()) == []


def test_deleted_words_leave_the_files_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sqlite3"
    store = GatewayStore(f"sqlite:///{path}", Vault(KEY))
    store.migrate()
    mark = "a mark that stands in for words"
    with store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (words TEXT)"))
        connection.execute(text("INSERT INTO notes VALUES (:words)"), {"words": mark * 200})
    forget_deleted_text(store.engine)
    assert mark.encode() in path.read_bytes()
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM notes"))
    forget_deleted_text(store.engine)
    for file in tmp_path.iterdir():
        assert mark.encode() not in file.read_bytes(), file.name
    store.close()


def test_only_the_owner_reads_the_files_of_sqlite(tmp_path: Path) -> None:
    store = GatewayStore(f"sqlite:///{tmp_path / 'gateway.sqlite3'}", Vault(KEY))
    store.migrate()
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
    store.close()


def test_whether_a_database_answers(store: GatewayStore) -> None:
    assert reachable(store.engine)
    away = GatewayStore(f"postgresql://root@127.0.0.1:{free_ports(1)[0]}/away", Vault(KEY))
    assert not reachable(away.engine)
    assert not is_sqlite(away.engine)
    away.close()

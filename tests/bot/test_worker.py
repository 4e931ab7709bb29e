"""Workers: what becomes of a stored message when all is well, when Rasa is away, and when we are at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import inbox, outbox, people, worker
from bot.conversation import Outcome
from bot.decide import Decision, Verdict
from bot.gateway_store import GatewayStore
from bot.incoming import Incoming, Sent
from bot.metrics import Metrics
from bot.models import Inbox, Outbox, Person
from bot.rasa_client import RasaFailed
from bot.worker import Workers
from content.messages import Message
from content.speaker import Speaker
from settings import ROOT
from store.engine import make_engine, migrate
from store.models import DailyCount
from tests.bot.test_outbox import drain
from tests.factories import address, said

NOW = 1_790_000_000.0


class Talk:
    """Stands in for the conversation: answers as told, and fails as told."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.outcomes: dict[str, Callable[[], Outcome]] = {}

    async def answer(self, person: Any, incoming: Incoming) -> Outcome:
        """The outcome that belongs to the words."""
        return self.outcomes.get(incoming.text, lambda: Outcome([said(f"answer to {incoming.text}")]))()

    def wait_line(self, person: Any) -> Message:
        """The line while Rasa is away."""
        return said("please wait")


class Channel:
    """Stands in for Telegram: notes what it was asked to do."""

    def __init__(self) -> None:
        self.deleted: list[tuple[str, list[int]]] = []
        self.acknowledged: list[str] = []

    async def delete(self, chat: str, message_ids: list[int]) -> None:
        """Delete messages on both sides."""
        self.deleted.append((chat, message_ids))

    async def acknowledge(self, callback_id: str) -> None:
        """Stop the clock on a button."""
        self.acknowledged.append(callback_id)


class Desk:
    """Workers with everything around them, at a time of our choice."""

    def __init__(self, store: GatewayStore, speaker: Speaker, folder: Path) -> None:
        self.now = NOW
        self.store = store
        self.talk = Talk(speaker)
        self.channel = Channel()
        self.records = make_engine(f"sqlite:///{folder / 'records.sqlite3'}")
        migrate(self.records, ROOT / "store" / "migrations")
        self.workers = Workers(
            store=store,
            conversation=self.talk,  # type: ignore[arg-type]
            channel=self.channel,  # type: ignore[arg-type]
            records=self.records,
            metrics=Metrics(),
            queued=lambda: None,
        )
        self._numbers = iter(range(1, 1000))

    def arrive(self, incoming: Incoming | str, by: str = "4077") -> None:
        """Something comes in."""
        sent = incoming if isinstance(incoming, Incoming) else Incoming(Sent.TEXT, text=incoming, message_id=31)
        self.store.run(
            lambda session: inbox.store(
                session,
                self.store.vault,
                source_key=f"tg:{next(self._numbers)}",
                address=address(by),
                incoming=sent,
                now=self.now,
            )
        )

    async def work(self) -> list[str]:
        """Handle all that may be handled now; what goes out because of it."""
        while await self.workers._step():
            pass
        return drain(self.store)

    def person(self) -> Person:
        """The one person."""
        return self.store.run(lambda session: session.scalars(select(Person)).one())

    def fails(self, words: str, error: Exception) -> None:
        """A turn with these words fails."""

        def fail() -> Outcome:
            raise error

        self.talk.outcomes[words] = fail


@pytest.fixture
def desk(
    sqlite_store: GatewayStore, speaker: Speaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    made = Desk(sqlite_store, speaker, tmp_path)
    monkeypatch.setattr(worker, "time", SimpleNamespace(time=lambda: made.now))
    yield made
    made.records.dispose()


async def test_a_message_is_answered_and_loses_its_text(desk: Desk) -> None:
    desk.arrive("hello")
    assert await desk.work() == ["answer to hello"]
    assert desk.store.run(lambda session: session.scalars(select(Inbox.body)).all()) == [None]
    assert await desk.work() == []


async def test_a_tap_is_acknowledged(desk: Desk) -> None:
    desk.arrive(Incoming(Sent.BUTTON, data="m:", message_id=31, callback_id="tap-1"))
    await desk.work()
    assert desk.channel.acknowledged == ["tap-1"]


async def test_while_rasa_is_away_this_is_said_once_and_the_answer_comes_once(desk: Desk) -> None:
    desk.fails("hello", RasaFailed("away"))
    desk.arrive("hello")
    assert await desk.work() == ["please wait"]
    for _ in range(12):
        desk.now += 61
        assert await desk.work() == []
    del desk.talk.outcomes["hello"]
    desk.now += 61
    assert await desk.work() == ["answer to hello"]
    desk.now += 3600
    assert await desk.work() == []


async def test_a_fault_of_ours_ends_in_a_sentence_and_holds_nobody_up_for_ever(desk: Desk) -> None:
    """Else nothing that this person writes later would be answered, a danger neither."""
    desk.fails("poison", ZeroDivisionError())
    desk.arrive("poison")
    desk.arrive("he is bleeding")
    texts = []
    for _ in range(10):
        texts += await desk.work()
        desk.now += 61
    assert texts == ["please wait", desk.talk.speaker.unsure((), "en").text, "answer to he is bleeding"]


async def test_a_fault_of_ours_holds_up_nobody_else(desk: Desk) -> None:
    desk.fails("poison", ZeroDivisionError())
    desk.arrive("poison", by="1")
    desk.arrive("hello", by="2")
    assert sorted(await desk.work()) == ["answer to hello", "please wait"]


async def test_a_fault_is_logged_without_words(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.fails("my secret words", ValueError("cannot read 'my secret words'"))
    desk.arrive("my secret words")
    await desk.work()
    assert "secret" not in caplog.text
    assert "ValueError" in caplog.text
    assert "test_worker.py" in caplog.text, "an operator sees where"


async def test_a_turn_that_was_answered_before_the_crash_is_not_answered_again(desk: Desk) -> None:
    desk.arrive("hello")
    assert await desk.work() == ["answer to hello"]
    desk.store.run(lambda session: _unfinish(session, desk))
    assert await desk.work() == []


def _unfinish(session: Session, desk: Desk) -> None:
    """As if the process had died between queueing the answer and noting that it is done."""
    row = session.scalars(select(Inbox)).one()
    row.state, row.lease_until = inbox.CLAIMED, desk.now - 1
    row.body = desk.store.vault.seal(Incoming(Sent.TEXT, text="hello").as_dict())


async def test_rule_14_hide_deletes_both_sides_and_holds_back_what_waits(desk: Desk) -> None:
    desk.talk.outcomes["hide"] = lambda: Outcome([said("hidden")], hide_all=True)
    desk.arrive("what about mines")
    await desk.workers._step()
    [row_id] = [row for row, _ in desk.store.run(lambda session: outbox.due(session, "telegram", desk.now, 9))]
    sending = desk.store.run(lambda session: outbox.begin(session, desk.store.vault, row_id))
    assert sending is not None
    desk.store.run(lambda session: outbox.sent(session, sending, 32, desk.now))
    desk.arrive("and more")
    await desk.workers._step()
    desk.arrive(Incoming(Sent.BUTTON, text="hide", data="x:", message_id=32))
    assert await desk.work() == ["hidden"], "the answer that had not gone out yet stays unsaid"
    [(chat, ids)] = desk.channel.deleted
    assert chat == "4077"
    assert sorted(ids) == [31, 32]
    assert desk.store.run(
        lambda session: session.scalars(select(Outbox.body).where(Outbox.reason == "hidden")).all()
    ) == [None]


async def test_rule_5_what_must_not_stay_in_the_chat_is_deleted(desk: Desk) -> None:
    desk.talk.outcomes["where"] = lambda: Outcome([said("coordinates")], delete_in_chat=(31,))
    desk.arrive("where")
    await desk.work()
    assert desk.channel.deleted == [("4077", [31])]


async def test_who_blocked_us_gets_nothing_more_and_who_comes_back_does(desk: Desk) -> None:
    desk.arrive("hello")
    await desk.workers._step()
    desk.arrive(Incoming(Sent.BLOCKED))
    assert await desk.work() == []
    assert desk.person().blocked
    desk.arrive(Incoming(Sent.UNBLOCKED))
    assert await desk.work() == []
    desk.arrive("hello again")
    assert await desk.work() == ["answer to hello again"]
    assert not desk.person().blocked


async def test_a_message_of_somebody_forgotten_meanwhile_is_let_go(desk: Desk) -> None:
    def forget() -> Outcome:
        desk.store.run(lambda session: people.forget(session, desk.person().id))
        return Outcome([said("too late")])

    desk.talk.outcomes["hello"] = forget
    desk.arrive("hello")
    assert await desk.work() == []
    assert desk.store.run(lambda session: session.scalars(select(Inbox)).all()) == []


async def test_what_changed_of_a_person_is_kept(desk: Desk) -> None:
    desk.talk.outcomes["urdu"] = lambda: Outcome([said()], lambda row: setattr(row, "choice", "ur"))
    desk.arrive("urdu")
    await desk.work()
    assert desk.person().choice == "ur"


async def test_rule_29_danger_is_counted_without_a_language(desk: Desk) -> None:
    def outcome(topic: str, danger: str | None) -> Outcome:
        return Outcome([said()], verdict=Verdict("ps", (topic,), 0.9, danger, Decision.ANSWER))

    desk.talk.outcomes["mine"] = lambda: outcome("mines_found", "mines_found")
    desk.talk.outcomes["work"] = lambda: outcome("asylum_work", None)
    for words in ("mine", "mine", "work"):
        desk.arrive(words)
    await desk.work()
    with Session(desk.records) as session:
        rows = {(row.topic, row.language): row.count for row in session.scalars(select(DailyCount))}
    assert rows == {("mines_found", ""): 2, ("asylum_work", "ps"): 1}
    exposed = desk.workers._metrics.registry.get_sample_value
    assert exposed("rahnuma_dangers_total") == 2
    assert exposed("rahnuma_decisions_total", {"language": "ps", "decision": "answer"}) == 1


async def test_a_message_that_cannot_be_counted_is_answered(desk: Desk) -> None:
    verdict = Verdict("ps", ("asylum_work",), 0.9, None, Decision.ANSWER)
    desk.talk.outcomes["work"] = lambda: Outcome([said("yes")], verdict=verdict)
    with desk.records.begin() as connection:
        connection.exec_driver_sql("DROP TABLE daily_counts")
    desk.arrive("work")
    assert await desk.work() == ["yes"]

"""The queue of what goes out, on both databases: urgent first, each once, in order for each person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from bot import outbox, people
from bot.gateway_store import GatewayStore
from bot.models import ChatMark, Outbox, Person
from bot.outbox import HIDE_SECONDS, Sending
from bot.people import TELEGRAM, WEB
from content.messages import Button, Kind, Message
from tests.bot.test_inbox import in_parallel
from tests.factories import DAY, address, said

NOW = 1000.0


@pytest.fixture
def other(store: GatewayStore) -> Person:
    """A second person."""
    return store.run(lambda session: people.find_or_make(session, store.vault, address("99"), NOW))


def put(store: GatewayStore, person: Person, *messages: Message, key: str = "in:1", now: float = NOW) -> None:
    store.run(
        lambda session: outbox.put(session, store.vault, person=person, key=key, messages=list(messages), now=now)
    )


def due(store: GatewayStore, now: float = NOW, limit: int = 100, channel: str = TELEGRAM) -> list[int]:
    return [row_id for row_id, _ in store.run(lambda session: outbox.due(session, channel, now, limit))]


def begin(store: GatewayStore, row_id: int) -> Sending:
    sending = store.run(lambda session: outbox.begin(session, store.vault, row_id))
    assert sending is not None
    return sending


def send(store: GatewayStore, row_id: int, message_id: int | None = None, now: float = NOW) -> str:
    """Send a row as the sender does; the text that went out."""
    sending = begin(store, row_id)
    store.run(lambda session: outbox.sent(session, sending, message_id, now))
    return sending.message.text


def drain(store: GatewayStore) -> list[str]:
    """Send everything, the most urgent row first; the texts in the order in which they went."""
    texts = []
    while rows := due(store):
        texts.append(send(store, rows[0]))
    return texts


def row(store: GatewayStore, row_id: int) -> Outbox:
    return store.run(lambda session: session.get_one(Outbox, row_id))


def count(store: GatewayStore) -> int:
    return store.run(lambda session: session.scalar(select(func.count()).select_from(Outbox)) or 0)


# --- queued once ----------------------------------------------------------------------------------


def test_a_message_comes_out_as_it_went_in(store: GatewayStore, person: Person) -> None:
    message = said("رکیں۔ 🚨", Kind.SAFETY, "ur", Button("شخص", "p:"), Button("چھپائیں", "x:"))
    put(store, person, message)
    sending = begin(store, due(store)[0])
    assert (sending.message, sending.address, sending.person_id) == (message, "4077", person.id)
    assert sending.attempts == 1


def test_a_turn_that_is_repeated_says_nothing_twice(store: GatewayStore, person: Person) -> None:
    """A worker may die after it has queued the answer and before the message counts as handled."""
    put(store, person, said("one"), said("two"), key="in:7")
    put(store, person, said("one"), said("two"), key="in:7")
    assert drain(store) == ["one", "two"]
    put(store, person, said("one"), said("two"), key="in:7")
    assert drain(store) == [], "also after it was sent"


def test_two_workers_with_the_same_turn_queue_it_once(
    open_store: Callable[[], GatewayStore], store: GatewayStore, person: Person
) -> None:
    """Where the lease was lost but the first worker lives: one of them fails, nothing is said twice."""
    processes = [open_store(), open_store()]

    def queue(number: int) -> bool:
        try:
            put(processes[number % 2], person, said("one"), said("two"), key="in:7")
        except IntegrityError:
            return False
        return True

    assert any(in_parallel(10, queue))
    assert drain(store) == ["one", "two"]


def test_words_do_not_lie_open_in_the_database(store: GatewayStore, person: Person) -> None:
    put(store, person, said("what to do in a minefield"))
    body = row(store, due(store)[0]).body
    assert body is not None
    assert b"minefield" not in body


# --- in order, urgent first -----------------------------------------------------------------------


def test_a_person_reads_answers_in_their_order(store: GatewayStore, person: Person) -> None:
    for number in range(5):
        put(store, person, said(f"{number}a"), said(f"{number}b"), key=f"in:{number}")
    assert len(due(store)) == 1, "only the first of a person may go"
    assert drain(store) == [f"{number}{part}" for number in range(5) for part in "ab"]


def test_rule_4_safety_goes_before_everything_that_waits(store: GatewayStore, person: Person, other: Person) -> None:
    put(store, person, said("news", Kind.ANNOUNCEMENT), key="a")
    put(store, person, said("answer"), key="b")
    put(store, other, said("line", Kind.LINE), key="c")
    put(store, person, said("safety", Kind.SAFETY), key="d")
    assert drain(store) == ["safety", "answer", "line", "news"]


def test_people_do_not_wait_for_each_other(store: GatewayStore, person: Person, other: Person) -> None:
    put(store, person, said("one"), said("two"), key="a")
    put(store, other, said("three"), key="b")
    first, third = due(store)
    begin(store, first)
    assert due(store) == [third], "the second waits for the first, which is on its way"
    assert due(store, limit=0) == []


def test_a_row_that_must_wait_holds_back_what_follows_for_that_person_only(
    store: GatewayStore, person: Person, other: Person
) -> None:
    put(store, person, said("one"), said("two"), key="a")
    put(store, other, said("three"), key="b")
    first, third = due(store)
    begin(store, first)
    store.run(lambda session: outbox.retry(session, first, NOW + 30))
    assert due(store) == [third]
    assert due(store, NOW + 29) == [third]
    assert due(store, NOW + 30) == [first, third]
    assert send(store, first) == "one"


def test_each_channel_has_its_own_queue(store: GatewayStore, person: Person) -> None:
    page = store.run(lambda session: people.find_or_make(session, store.vault, address("token", channel=WEB), NOW))
    put(store, person, said("chat"), key="a")
    put(store, page, said("page"), key="b")
    assert [begin(store, row_id).message.text for row_id in due(store, channel=WEB)] == ["page"]
    assert [begin(store, row_id).message.text for row_id in due(store)] == ["chat"]


# --- sent once ------------------------------------------------------------------------------------


def test_of_many_senders_one_sends(open_store: Callable[[], GatewayStore], store: GatewayStore, person: Person) -> None:
    put(store, person, said())
    row_id = due(store)[0]
    processes = [open_store(), open_store()]

    def take(number: int) -> Sending | None:
        process = processes[number % 2]
        return process.run(lambda session: outbox.begin(session, process.vault, row_id))

    assert len([one for one in in_parallel(20, take) if one]) == 1


def test_what_is_out_has_no_text(store: GatewayStore, person: Person) -> None:
    put(store, person, said())
    row_id = due(store)[0]
    send(store, row_id, 31)
    assert (row(store, row_id).state, row(store, row_id).body) == (outbox.SENT, None)
    assert due(store) == []
    assert store.run(lambda session: outbox.begin(session, store.vault, row_id)) is None


def test_what_is_given_up_has_no_text_and_holds_nobody_back(store: GatewayStore, person: Person) -> None:
    put(store, person, said("one"), said("two"))
    first = due(store)[0]
    begin(store, first)
    store.run(lambda session: outbox.give_up(session, first, "refused by Telegram " + "x" * 100))
    given_up = row(store, first)
    assert (given_up.state, given_up.body) == (outbox.GIVEN_UP, None)
    assert given_up.reason is not None
    assert given_up.reason.startswith("refused by Telegram")
    assert drain(store) == ["two"]


def test_each_attempt_is_counted(store: GatewayStore, person: Person) -> None:
    put(store, person, said())
    row_id = due(store)[0]
    for attempt in (1, 2, 3):
        assert begin(store, row_id).attempts == attempt
        store.run(lambda session: outbox.retry(session, row_id, 0.0))


# --- after a crash --------------------------------------------------------------------------------


def crashed(store: GatewayStore, person: Person, message: Message, times: int) -> int:
    """A row that was on its way ``times`` times when the process died; its id."""
    put(store, person, message, key=f"in:{message.text}")
    row_id = due(store)[0]
    for number in range(times):
        if number:
            store.run(lambda session: outbox.retry(session, row_id, 0.0))
        begin(store, row_id)
    return row_id


@pytest.mark.parametrize(
    ("kind", "times", "again"),
    [
        (Kind.SAFETY, 1, True),
        (Kind.SAFETY, 2, True),
        (Kind.SAFETY, 9, True),
        (Kind.ANSWER, 1, True),
        (Kind.ANSWER, 2, False),
        (Kind.LINE, 1, True),
        (Kind.LINE, 3, False),
        (Kind.ANNOUNCEMENT, 2, False),
    ],
)
def test_after_a_crash_safety_goes_again_always_and_others_once_more(
    store: GatewayStore, person: Person, kind: Kind, times: int, again: bool
) -> None:
    row_id = crashed(store, person, said("x", kind), times)
    assert due(store) == []
    doubled = store.run(lambda session: outbox.after_a_crash(session, TELEGRAM))
    assert doubled == (1 if again else 0)
    assert due(store) == ([row_id] if again else [])
    assert row(store, row_id).state == (outbox.QUEUED if again else outbox.GIVEN_UP)


def test_after_a_crash_what_was_not_on_its_way_is_left_alone(
    store: GatewayStore, person: Person, other: Person
) -> None:
    put(store, person, said("sent"), said("waiting"), key="a")
    send(store, due(store)[0])
    put(store, other, said("later"), key="b")
    later = due(store)[-1]
    begin(store, later)
    store.run(lambda session: outbox.retry(session, later, NOW + 60))
    assert store.run(lambda session: outbox.after_a_crash(session, TELEGRAM)) == 0
    assert drain(store) == ["waiting"]
    assert due(store, NOW + 60) == [later]


def test_after_a_crash_the_other_channel_is_left_alone(store: GatewayStore, person: Person) -> None:
    crashed(store, person, said("x"), 1)
    assert store.run(lambda session: outbox.after_a_crash(session, WEB)) == 0


# --- hiding (rule 14) -----------------------------------------------------------------------------


def marks(store: GatewayStore, person: Person, now: float) -> list[int]:
    return store.run(lambda session: outbox.marks(session, person.id, now))


def test_rule_14_what_stands_in_the_chat_is_known_for_48_hours(store: GatewayStore, person: Person) -> None:
    put(store, person, said("one"), said("two"))
    send(store, due(store)[0], 31, NOW)
    send(store, due(store)[0], 32, NOW + 3600)
    store.run(lambda session: outbox.mark(session, person.id, 31, NOW + 7200))
    assert marks(store, person, NOW + 60) == [32, 31], "newest first, each once"
    assert marks(store, person, NOW + HIDE_SECONDS + 1) == [32]
    assert marks(store, person, NOW + HIDE_SECONDS + 3601) == []


def test_rule_14_marks_belong_to_one_chat_and_can_be_dropped(
    store: GatewayStore, person: Person, other: Person
) -> None:
    for someone in (person, other):
        store.run(lambda session, someone=someone: outbox.mark(session, someone.id, 31, NOW))
    store.run(lambda session: outbox.drop_marks(session, person.id))
    assert marks(store, person, NOW) == []
    assert marks(store, other, NOW) == [31]


# --- the web chat reads ---------------------------------------------------------------------------


@pytest.fixture
def page(store: GatewayStore) -> Person:
    """Somebody on the web page."""
    return store.run(lambda session: people.find_or_make(session, store.vault, address("token", channel=WEB), NOW))


def read(store: GatewayStore, person: Person, after: int = 0) -> list[tuple[int, str]] | None:
    rows = store.run(lambda session: outbox.read_after(session, store.vault, person.id, after))
    return None if rows is None else [(row_id, message.text) for row_id, message in rows]


def test_a_page_reads_what_it_has_not_read(store: GatewayStore, page: Person) -> None:
    put(store, page, said("one"), said("two"))
    rows = read(store, page)
    assert rows is not None
    assert [text for _, text in rows] == ["one", "two"]
    assert read(store, page) == rows, "a line that broke on the way: the same again"
    assert read(store, page, rows[0][0]) == rows[1:]
    assert read(store, page, rows[1][0]) == []


def test_what_a_page_has_read_loses_its_text(store: GatewayStore, page: Person) -> None:
    put(store, page, said("one"), said("two"))
    rows = read(store, page)
    assert rows is not None
    read(store, page, rows[0][0])
    assert (row(store, rows[0][0]).state, row(store, rows[0][0]).body) == (outbox.SENT, None)
    assert row(store, rows[1][0]).body is not None
    assert read(store, page) == rows[1:]


def test_a_page_reads_nothing_of_others(store: GatewayStore, page: Person, person: Person) -> None:
    put(store, person, said("not yours"), key="a")
    assert read(store, page) == []
    assert read(store, page, 10_000) == []
    assert drain(store) == ["not yours"], "and takes nothing away from them"


def test_a_page_that_is_closed_reads_no_more(store: GatewayStore, page: Person) -> None:
    put(store, page, said("one"))
    store.run(lambda session: people.forget(session, page.id))
    assert read(store, page) is None
    assert count(store) == 0


def test_dropping_all_is_for_one_person(store: GatewayStore, page: Person, person: Person) -> None:
    put(store, page, said("one"), key="a")
    put(store, person, said("two"), key="b")
    store.run(lambda session: outbox.drop_all(session, page.id))
    assert read(store, page) == []
    assert drain(store) == ["two"]


# --- nothing stays longer than it must ------------------------------------------------------------


def test_rule_30_rows_that_are_done_with_go_after_a_day(store: GatewayStore, person: Person) -> None:
    put(store, person, said("sent"), said("given up"), said("waiting"))
    send(store, due(store)[0], 31)
    given_up = due(store)[0]
    begin(store, given_up)
    store.run(lambda session: outbox.give_up(session, given_up, "blocked"))
    store.run(lambda session: outbox.purge(session, NOW + DAY))
    assert count(store) == 3
    store.run(lambda session: outbox.purge(session, NOW + DAY + 1))
    assert count(store) == 1
    assert drain(store) == ["waiting"], "what waits is never purged"


def test_rule_30_places_in_a_chat_go_after_48_hours(store: GatewayStore, person: Person) -> None:
    store.run(lambda session: outbox.mark(session, person.id, 31, NOW))
    store.run(lambda session: outbox.purge(session, NOW + HIDE_SECONDS))
    assert store.run(lambda session: session.get(ChatMark, (person.id, 31))) is not None
    store.run(lambda session: outbox.purge(session, NOW + HIDE_SECONDS + 1))
    assert store.run(lambda session: session.get(ChatMark, (person.id, 31))) is None

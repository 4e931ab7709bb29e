"""The queue of what came in, on both databases: nothing lost, nothing twice, in order for each person."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from bot import inbox, people
from bot.gateway_store import GatewayStore
from bot.inbox import LEASE_SECONDS, Claim
from bot.models import Inbox, Person
from tests.bot.conftest import Receive
from tests.factories import address, words

NOW = 1000.0


def claim(store: GatewayStore, now: float = NOW) -> Claim | None:
    return store.run(lambda session: inbox.claim(session, store.vault, now))


def claim_text(store: GatewayStore, now: float = NOW) -> str | None:
    claimed = claim(store, now)
    return claimed.incoming.text if claimed else None


def finish(store: GatewayStore, claimed: Claim) -> None:
    store.run(lambda session: inbox.finish(session, claimed.id))


def put_back(store: GatewayStore, claimed: Claim, now: float = NOW, *, told_to_wait: bool = False) -> None:
    store.run(lambda session: inbox.put_back(session, claimed, now, told_to_wait=told_to_wait))


def count(store: GatewayStore, table: type) -> int:
    return store.run(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


def in_parallel(times: int, work: Callable[[int], object], at_once: int = 10) -> list[object]:
    """Run work many times, the first ``at_once`` of them starting in the same moment."""
    barrier = Barrier(at_once)

    def started(number: int) -> object:
        if number < at_once:
            barrier.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(started, range(times)))


# --- stored once ----------------------------------------------------------------------------------


def test_the_same_update_fifty_times_in_parallel_is_one_message(open_store: Callable[[], GatewayStore]) -> None:
    """Telegram repeats an update that we were slow to acknowledge, to whichever process answers."""
    processes = [open_store(), open_store()]

    def arrive(number: int) -> int | None:
        store = processes[number % 2]
        return store.run(
            lambda session: inbox.store(
                session, store.vault, source_key="tg:77", address=address(), incoming=words(), now=NOW
            )
        )

    stored = in_parallel(50, arrive)
    assert len([one for one in stored if one is not None]) == 1
    assert count(processes[0], Inbox) == 1
    assert count(processes[0], Person) == 1


def test_fifty_messages_of_one_person_in_parallel_are_fifty_of_one_person(
    open_store: Callable[[], GatewayStore],
) -> None:
    processes = [open_store(), open_store()]

    def arrive(number: int) -> int | None:
        store = processes[number % 2]
        return store.run(
            lambda session: inbox.store(
                session, store.vault, source_key=f"tg:{number}", address=address(), incoming=words(), now=NOW
            )
        )

    stored = in_parallel(50, arrive)
    assert None not in stored
    assert len(set(stored)) == 50
    assert count(processes[0], Inbox) == 50
    assert count(processes[0], Person) == 1


def test_an_update_that_was_answered_is_not_answered_when_it_comes_again(store: GatewayStore) -> None:
    def arrive() -> int | None:
        return store.run(
            lambda session: inbox.store(
                session, store.vault, source_key="tg:5", address=address(), incoming=words(), now=NOW
            )
        )

    assert arrive() is not None
    claimed = claim(store)
    assert claimed is not None
    finish(store, claimed)
    assert arrive() is None
    assert claim(store, NOW + 3600) is None


def test_words_do_not_lie_open_in_the_database(store: GatewayStore, receive: Receive) -> None:
    row = receive("they beat me at the border", by="555777")
    body, person = store.run(lambda session: (session.get_one(Inbox, row).body, session.scalars(select(Person)).one()))
    assert body is not None
    assert b"beat" not in body
    assert b"555777" not in person.address + person.address_hash


# --- in order for each person -----------------------------------------------------------------------


def test_a_message_comes_out_as_it_went_in(store: GatewayStore, receive: Receive) -> None:
    row = receive("چېرته ویده شم؟ 🚨", now=990.0)
    claimed = claim(store)
    assert claimed is not None
    assert (claimed.id, claimed.incoming, claimed.received_at) == (row, words("چېرته ویده شم؟ 🚨"), 990.0)
    assert (claimed.attempts, claimed.told_to_wait) == (1, False)


def test_a_persons_messages_are_handled_one_by_one_in_their_order(store: GatewayStore, receive: Receive) -> None:
    for text in ("one", "two", "three"):
        receive(text)
    for text in ("one", "two", "three"):
        claimed = claim(store)
        assert claimed is not None
        assert claimed.incoming.text == text
        assert claim(store) is None, "the next one waits until this one is answered"
        finish(store, claimed)
    assert claim(store) is None


def test_two_people_are_handled_in_parallel(store: GatewayStore, receive: Receive) -> None:
    receive("a1", by="1")
    receive("a2", by="1")
    receive("b1", by="2")
    assert claim_text(store) == "a1"
    assert claim_text(store) == "b1"
    assert claim(store) is None


def test_no_message_goes_to_two_workers(open_store: Callable[[], GatewayStore], receive: Receive) -> None:
    for number in range(20):
        receive(f"first of {number}", by=str(number))
        receive(f"second of {number}", by=str(number))
    processes = [open_store(), open_store()]
    claimed = [one for one in in_parallel(40, lambda number: claim(processes[number % 2])) if one]
    assert sorted(one.incoming.text for one in claimed) == sorted(f"first of {number}" for number in range(20))


def test_workers_drain_the_queue_in_each_persons_order(
    open_store: Callable[[], GatewayStore], receive: Receive
) -> None:
    for number in range(30):
        receive(str(number), by=str(number % 5))
    processes = [open_store(), open_store()]
    answered: list[tuple[str, int]] = []

    def work(worker: int) -> None:
        store = processes[worker % 2]
        while store.run(lambda session: inbox.oldest_waiting(session, NOW + 1)) > 0:
            claimed = claim(store)
            if claimed is not None:
                answered.append((claimed.person_id, int(claimed.incoming.text)))
                finish(store, claimed)

    in_parallel(4, work, at_once=4)
    assert sorted(number for _, number in answered) == list(range(30))
    for person_id in {person for person, _ in answered}:
        numbers = [number for person, number in answered if person == person_id]
        assert numbers == sorted(numbers)


# --- workers that die, and turns that fail ------------------------------------------------------------


def test_a_lost_lease_is_taken_up(store: GatewayStore, receive: Receive) -> None:
    receive("one")
    receive("two")
    assert claim_text(store) == "one"
    assert claim(store, NOW + LEASE_SECONDS - 1) is None
    taken_up = claim(store, NOW + LEASE_SECONDS + 1)
    assert taken_up is not None
    assert (taken_up.incoming.text, taken_up.attempts) == ("one", 2), "the same message, and not the next one"
    assert claim(store, NOW + LEASE_SECONDS + 2) is None


def test_a_turn_that_failed_is_tried_again_later_and_keeps_its_place(store: GatewayStore, receive: Receive) -> None:
    receive("one")
    receive("two")
    receive("other", by="2")
    claimed = claim(store)
    assert claimed is not None
    put_back(store, claimed, told_to_wait=True)
    assert claim_text(store) == "other", "others do not wait for it"
    assert claim(store) is None
    again = claim(store, NOW + 1.0)
    assert again is not None
    assert (again.incoming.text, again.attempts, again.told_to_wait) == ("one", 2, True)


def test_each_try_waits_a_little_longer_and_never_more_than_a_minute(store: GatewayStore, receive: Receive) -> None:
    row = receive()
    now, waits = NOW, []
    for _ in range(9):
        claimed = claim(store, now)
        assert claimed is not None
        put_back(store, claimed, now)
        waits.append(store.run(lambda session: session.get_one(Inbox, row).not_before) - now)
        assert claim(store, now + waits[-1] - 0.5) is None
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_message_of_somebody_who_was_forgotten_is_gone(store: GatewayStore, receive: Receive) -> None:
    receive("one", by="1")
    receive("other", by="2")
    claimed = claim(store)
    assert claimed is not None
    store.run(lambda session: people.forget(session, claimed.person_id))
    finish(store, claimed)
    assert claim_text(store, NOW + 3600) == "other"
    assert count(store, Inbox) == 1


# --- nothing stays longer than it must ----------------------------------------------------------------


def test_a_handled_row_has_no_body(store: GatewayStore, receive: Receive) -> None:
    row = receive()
    claimed = claim(store)
    assert claimed is not None
    finish(store, claimed)
    handled = store.run(lambda session: session.get_one(Inbox, row))
    assert (handled.state, handled.body) == (inbox.DONE, None)


def test_only_handled_rows_are_purged_and_only_old_ones(store: GatewayStore, receive: Receive) -> None:
    old, waiting, new = receive(by="1", now=10.0), receive(by="2", now=10.0), receive(by="3", now=500.0)
    for row in (old, new):
        store.run(lambda session, row=row: inbox.finish(session, row))
    store.run(lambda session: inbox.purge_done(session, 100.0))
    left = store.run(lambda session: list(session.scalars(select(Inbox.id).order_by(Inbox.id))))
    assert left == [waiting, new]


def test_the_oldest_unanswered_message(store: GatewayStore, receive: Receive) -> None:
    def oldest(now: float) -> float:
        return store.run(lambda session: inbox.oldest_waiting(session, now))

    assert oldest(NOW) == 0.0
    receive(now=NOW - 90)
    receive(now=NOW - 30)
    assert oldest(NOW) == pytest.approx(90.0)
    first = claim(store)
    assert first is not None
    assert oldest(NOW) == pytest.approx(90.0), "what is in work is not answered yet"
    finish(store, first)
    assert oldest(NOW) == pytest.approx(30.0)
    assert oldest(NOW - 60) == 0.0, "a clock that was set back"


async def test_a_store_that_is_asked_from_the_event_loop_gives_the_same(store: GatewayStore, receive: Receive) -> None:
    receive("one")
    claimed = await store.do(lambda session: inbox.claim(session, store.vault, NOW))
    assert claimed is not None
    assert claimed.incoming.text == "one"

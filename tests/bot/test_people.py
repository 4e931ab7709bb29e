"""People, on both databases and with a false clock: found by their address, forgotten in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from bot import app, outbox, people
from bot.gateway_store import GatewayStore
from bot.models import ChatMark, Inbox, Outbox, Person, SafetySent
from bot.people import PERSON_DAYS, SITE_DAYS, TELEGRAM, WEB
from tests.bot.conftest import Receive
from tests.factories import DAY, address, said

NOW = 1_790_000_000.0  # a Monday in September 2026
TODAY = date(2026, 9, 21)


def meet(store: GatewayStore, value: str = "4077", now: float = NOW, **options: str) -> Person:
    return store.run(lambda session: people.find_or_make(session, store.vault, address(value, **options), now))


def again(store: GatewayStore, person: Person) -> Person | None:
    return store.run(lambda session: session.get(Person, person.id))


def change(store: GatewayStore, person: Person, how: Callable[[Person], object]) -> None:
    store.run(lambda session: how(session.get_one(Person, person.id)))


def count(store: GatewayStore, table: type) -> int:
    return store.run(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


def clean(store: GatewayStore, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gateway's clean-up does each minute, at a time of our choice."""
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: now))
    store.run(app._purge)


# --- found ----------------------------------------------------------------------------------------


def test_somebody_who_writes_again_is_the_same_person(store: GatewayStore) -> None:
    assert meet(store).id == meet(store, now=NOW + 60).id
    assert count(store, Person) == 1


def test_others_and_other_channels_are_other_people(store: GatewayStore) -> None:
    ids = {meet(store).id, meet(store, "4078").id, meet(store, channel=WEB).id}
    assert len(ids) == 3


def test_a_person_is_found_by_the_address_alone(store: GatewayStore) -> None:
    person = meet(store)

    def find(channel: str, value: str) -> str | None:
        found = store.run(lambda session: people.find(session, store.vault, channel, value))
        return found.id if found else None

    assert find(TELEGRAM, "4077") == person.id
    assert find(WEB, "4077") is None
    assert find(TELEGRAM, "40770") is None
    assert count(store, Person) == 1, "looking makes nobody"


def test_the_row_tells_nobody_the_address_but_the_vault(store: GatewayStore) -> None:
    person = meet(store, "987654321")
    assert store.vault.open(person.address) == "987654321"
    for column in Person.__table__.columns:
        assert "987654321" not in str(getattr(person, column.name))


def test_ids_and_pseudonyms_have_nothing_to_do_with_the_address(store: GatewayStore) -> None:
    """After somebody was forgotten, nothing that was kept elsewhere can be joined to them again."""
    person = meet(store)
    store.run(lambda session: people.forget(session, person.id))
    same_chat = meet(store)
    assert same_chat.id != person.id
    assert same_chat.pseudonym != person.pseudonym
    assert person.id != person.pseudonym


def test_telegrams_hint_is_kept_and_follows_its_changes(store: GatewayStore) -> None:
    assert meet(store, hint="ur").hint == "ur"
    assert meet(store).hint == "ur"
    assert meet(store, hint="fa").hint == "fa"


def test_somebody_who_blocked_us_and_writes_again_is_answered_again(store: GatewayStore) -> None:
    person = meet(store)
    change(store, person, lambda row: setattr(row, "blocked", True))
    assert meet(store).blocked is False


# --- the pseudonym and the site -----------------------------------------------------------------------


def test_the_pseudonym_changes_after_24_hours_of_silence(store: GatewayStore) -> None:
    person = meet(store)
    first = people.current_pseudonym(person, NOW)
    assert people.current_pseudonym(person, NOW + DAY - 1) == first
    assert people.current_pseudonym(person, NOW + 2 * DAY - 2) == first, "each message gives it another day"
    second = people.current_pseudonym(person, NOW + 3 * DAY)
    assert second != first
    assert people.current_pseudonym(person, NOW + 3 * DAY + 60) == second
    assert first not in second


def test_rule_6_a_site_is_forgotten_after_14_days_at_most(store: GatewayStore) -> None:
    person = meet(store)
    people.set_site(person, "lipa", TODAY)
    assert people.current_site(person, TODAY) == "lipa"
    assert people.current_site(person, TODAY + timedelta(days=SITE_DAYS - 1)) == "lipa"
    assert people.current_site(person, TODAY + timedelta(days=SITE_DAYS)) is None
    assert (person.site, person.site_until) == (None, None)


def test_rule_6_a_second_poster_counts_anew(store: GatewayStore) -> None:
    person = meet(store)
    people.set_site(person, "lipa", TODAY)
    people.set_site(person, "usivak", TODAY + timedelta(days=10))
    assert people.current_site(person, TODAY + timedelta(days=20)) == "usivak"


def test_rule_30_site_and_pseudonym_of_the_silent_leave_the_table(
    store: GatewayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not asked for any more must still go: a silent person never comes back to have it cleared."""
    silent, active = meet(store, "1"), meet(store, "2")
    for person in (silent, active):
        change(store, person, lambda row: people.set_site(row, "lipa", TODAY))
    change(store, active, lambda row: people.current_pseudonym(row, NOW + 13 * DAY))
    clean(store, NOW + 13 * DAY, monkeypatch)
    kept = again(store, silent)
    assert kept is not None
    assert kept.site == "lipa"
    assert kept.pseudonym == ""
    clean(store, NOW + 14 * DAY - 1, monkeypatch)
    still = again(store, active)
    assert still is not None
    assert still.pseudonym != ""
    clean(store, NOW + 14 * DAY, monkeypatch)
    for person in (silent, active):
        left = again(store, person)
        assert left is not None
        assert (left.site, left.site_until) == (None, None)
    back = again(store, silent)
    assert back is not None
    assert len(people.current_pseudonym(back, NOW + 15 * DAY)) == 32


# --- forgotten ----------------------------------------------------------------------------------------


def test_rule_13_wiping_clears_what_was_known(store: GatewayStore) -> None:
    person = meet(store, hint="ur")
    person.choice = person.last_clear = "ur"
    people.set_site(person, "lipa", TODAY)
    before = person.pseudonym
    people.wipe(person)
    assert [person.choice, person.last_clear, person.hint, person.site, person.site_until] == [None] * 5
    assert person.pseudonym != before
    assert store.vault.open(person.address) == "4077", "the goodbye must still find its way"


def test_rule_13_forgetting_takes_everything_along(store: GatewayStore, receive: Receive) -> None:
    person, other = meet(store, "1"), meet(store, "2")
    for someone in (person, other):
        receive(by=address(store.vault.open(someone.address)))
        store.run(
            lambda session, someone=someone: outbox.put(
                session, store.vault, person=someone, key=f"in:{someone.id}", messages=[said()], now=NOW
            )
        )
        store.run(lambda session, someone=someone: outbox.mark(session, someone.id, 31, NOW))
    store.run(lambda session: people.forget(session, person.id))
    assert [count(store, table) for table in (Person, Inbox, Outbox, ChatMark)] == [1, 1, 1, 1]
    assert again(store, person) is None
    assert again(store, other) is not None


def test_rule_30_people_are_forgotten_30_days_after_their_last_message(
    store: GatewayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, active = meet(store, "1"), meet(store, "2")
    meet(store, "2", now=NOW + 5 * DAY)
    clean(store, NOW + PERSON_DAYS * DAY, monkeypatch)
    assert again(store, silent) is not None
    clean(store, NOW + (PERSON_DAYS + 1) * DAY, monkeypatch)
    assert again(store, silent) is None
    assert again(store, active) is not None
    clean(store, NOW + (PERSON_DAYS + 6) * DAY, monkeypatch)
    assert count(store, Person) == 0


def test_the_silent_are_counted_as_they_go(store: GatewayStore) -> None:
    meet(store, "1")
    meet(store, "2", now=NOW + 20 * DAY)
    assert store.run(lambda session: people.forget_the_silent(session, TODAY + timedelta(days=31))) == 1
    assert store.run(lambda session: people.forget_the_silent(session, TODAY + timedelta(days=31))) == 0


def test_rule_30_a_closed_page_is_forgotten_after_a_day(store: GatewayStore, monkeypatch: pytest.MonkeyPatch) -> None:
    page, chat = meet(store, "token", channel=WEB), meet(store, "1")
    clean(store, NOW + DAY, monkeypatch)
    assert again(store, page) is not None
    clean(store, NOW + DAY + 1, monkeypatch)
    assert again(store, page) is None
    assert again(store, chat) is not None


def test_rule_30_what_was_noted_of_a_danger_goes_with_its_hour(
    store: GatewayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.run(lambda session: session.add(SafetySent(digest=b"d" * 32, until=NOW + 3600)))
    clean(store, NOW + 3599, monkeypatch)
    assert count(store, SafetySent) == 1
    clean(store, NOW + 3601, monkeypatch)
    assert count(store, SafetySent) == 0

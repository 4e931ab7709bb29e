"""Rows of people: found by a keyed hash of their address, and forgotten."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.crypto import Vault
from bot.models import Person

PSEUDONYM_SECONDS = 24 * 3600
SITE_DAYS = 14
PERSON_DAYS = 30

TELEGRAM = "telegram"
WEB = "web"


@dataclass(frozen=True)
class Address:
    """Where somebody writes from, and what the channel says of their language."""

    channel: str
    value: str
    hint: str | None = None


def find_or_make(session: Session, vault: Vault, address: Address, now: float) -> Person:
    """The row of an address, made where there is none."""
    digest = vault.address_hash(address.channel, address.value)
    person = session.scalar(select(Person).where(Person.address_hash == digest))
    if person is None:
        person = _made(session, vault, address, digest, now)
    person.last_day = _day(now)
    person.blocked = False
    if address.hint:
        person.hint = address.hint
    return person


def find(session: Session, vault: Vault, channel: str, value: str) -> Person | None:
    """The row of an address, if there is one."""
    return session.scalar(select(Person).where(Person.address_hash == vault.address_hash(channel, value)))


def current_pseudonym(person: Person, now: float) -> str:
    """The name that Rasa knows: random, and a new one after 24 hours of silence."""
    if now >= person.pseudonym_until:
        person.pseudonym = secrets.token_hex(16)
    person.pseudonym_until = now + PSEUDONYM_SECONDS
    return person.pseudonym


def current_site(person: Person, today: date) -> str | None:
    """The centre from a poster, for at most 14 days."""
    if person.site and person.site_until and today < person.site_until:
        return person.site
    person.site = person.site_until = None
    return None


def set_site(person: Person, site: str, today: date) -> None:
    """Remember the centre of a poster."""
    person.site = site
    person.site_until = today + timedelta(days=SITE_DAYS)


def wipe(person: Person) -> None:
    """Clear what was known of a person; the row itself goes once the goodbye is out."""
    person.choice = person.last_clear = person.hint = person.site = person.site_until = None
    person.pseudonym = secrets.token_hex(16)
    person.last_day = date(1970, 1, 1)


def forget(session: Session, person_id: str) -> None:
    """Delete a person with everything that waits for them."""
    session.execute(delete(Person).where(Person.id == person_id))


def forget_the_silent(session: Session, today: date) -> int:
    """Delete people who have not written for 30 days; how many."""
    limit = today - timedelta(days=PERSON_DAYS)
    deleted = session.execute(delete(Person).where(Person.last_day < limit).returning(Person.id)).all()
    return len(deleted)


def forget_what_is_old(session: Session, now: float) -> None:
    """Clear what goes before the row does, also where somebody stays silent: the site, Rasa's name for them."""
    session.execute(update(Person).where(Person.site_until <= _day(now)).values(site=None, site_until=None))
    session.execute(update(Person).where(Person.pseudonym_until <= now, Person.pseudonym != "").values(pseudonym=""))


def forget_closed_pages(session: Session, now: float) -> None:
    """Delete web chats that have been silent for a day; their pages are long closed."""
    session.execute(delete(Person).where(Person.channel == WEB, Person.pseudonym_until < now))


def _made(session: Session, vault: Vault, address: Address, digest: bytes, now: float) -> Person:
    person = Person(
        id=secrets.token_hex(16),
        channel=address.channel,
        address_hash=digest,
        address=vault.seal(address.value),
        hint=address.hint,
        pseudonym=secrets.token_hex(16),
        pseudonym_until=now + PSEUDONYM_SECONDS,
        last_day=_day(now),
        blocked=False,
    )
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError:  # another gateway process made it in the same moment
        return session.scalars(select(Person).where(Person.address_hash == digest)).one()
    return person


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()

"""The queue of what came in: stored before it is acknowledged, handled in order for each person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from bot import people
from bot.crypto import Vault
from bot.incoming import Incoming
from bot.models import Inbox, Person
from bot.people import Address

LEASE_SECONDS = 60.0
_RETRY_FIRST, _RETRY_LONGEST = 1.0, 60.0

WAITING, CLAIMED, DONE = "waiting", "claimed", "done"


@dataclass(frozen=True)
class Claim:
    """A message that this worker holds, for as long as its lease lasts."""

    id: int
    person_id: str
    incoming: Incoming
    received_at: float
    attempts: int
    told_to_wait: bool


def store(
    session: Session, vault: Vault, *, source_key: str, address: Address, incoming: Incoming, now: float
) -> int | None:
    """Store what came in; its id, or ``None`` where it was stored before."""
    if id_of(session, source_key) is not None:
        return None
    person = people.find_or_make(session, vault, address, now)
    row = Inbox(
        source_key=source_key,
        person_id=person.id,
        body=vault.seal(incoming.as_dict()),
        received_at=now,
        state=WAITING,
        lease_until=0.0,
        attempts=0,
        not_before=0.0,
        told_to_wait=False,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # the same update arrived twice in the same moment
        return None
    return row.id


def id_of(session: Session, source_key: str) -> int | None:
    """The id under which something was stored."""
    return session.scalar(select(Inbox.id).where(Inbox.source_key == source_key))


def claim(session: Session, vault: Vault, now: float) -> Claim | None:
    """Take the oldest message that may be handled now: no person has two in work at once."""
    earlier = aliased(Inbox)
    blocked_by = (
        select(earlier.id)
        .where(earlier.person_id == Inbox.person_id, earlier.id < Inbox.id, earlier.state != DONE)
        .exists()
    )
    free = (Inbox.state == WAITING) | ((Inbox.state == CLAIMED) & (Inbox.lease_until < now))
    row = session.scalars(
        select(Inbox)
        .where(free, Inbox.not_before <= now, ~blocked_by)
        .order_by(Inbox.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None or row.body is None:
        return None
    row.state = CLAIMED
    row.lease_until = now + LEASE_SECONDS
    row.attempts += 1
    incoming = Incoming.from_dict(vault.open(row.body))
    return Claim(row.id, row.person_id, incoming, row.received_at, row.attempts, row.told_to_wait)


def finish(session: Session, claim_id: int) -> None:
    """The message is answered: its text goes at once."""
    session.execute(update(Inbox).where(Inbox.id == claim_id).values(state=DONE, body=None))


def put_back(session: Session, claimed: Claim, now: float, *, told_to_wait: bool) -> None:
    """The message could not be answered: try again later, each time a little later."""
    delay = min(_RETRY_FIRST * 2 ** min(claimed.attempts - 1, 10), _RETRY_LONGEST)
    values = {"state": WAITING, "lease_until": 0.0, "not_before": now + delay, "told_to_wait": told_to_wait}
    session.execute(update(Inbox).where(Inbox.id == claimed.id).values(values))


def oldest_waiting(session: Session, now: float) -> float:
    """How many seconds the oldest unanswered message has waited; 0 where none does."""
    received = session.scalar(select(func.min(Inbox.received_at)).where(Inbox.state != DONE))
    return max(0.0, now - received) if received is not None else 0.0


def purge_done(session: Session, before: float) -> None:
    """Delete handled rows once Telegram no longer repeats them."""
    session.query(Inbox).filter(Inbox.state == DONE, Inbox.received_at < before).delete()


def person_of(session: Session, person_id: str) -> Person | None:
    """The row of a person."""
    return session.get(Person, person_id)

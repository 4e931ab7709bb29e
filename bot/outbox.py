"""The queue of what goes out: rows before they are sent, in order for each person.

A row is marked as being sent before the call. A crash between Telegram's taking a message and our
noting it is the one window in which a message can be doubled: after it, a safety text is sent
again, anything else once more at most (docs/architecture.md).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, aliased

from bot.crypto import Vault
from bot.models import ChatMark, Outbox, Person
from content.messages import Button, Kind, Message

QUEUED, SENDING, SENT, GIVEN_UP = "queued", "sending", "sent", "given_up"
PRIORITY = {Kind.SAFETY: 0, Kind.ANSWER: 1, Kind.LINE: 1, Kind.ANNOUNCEMENT: 2}
HIDE_SECONDS = 48 * 3600
MAX_AMBIGUOUS = 2


@dataclass(frozen=True)
class Sending:
    """A row on its way out."""

    id: int
    person_id: str
    address: str
    message: Message
    priority: int
    attempts: int


def put(session: Session, vault: Vault, *, person: Person, key: str, messages: list[Message], now: float) -> None:
    """Queue messages for a person; a key that was used before adds nothing."""
    for number, message in enumerate(messages):
        dedupe = f"{key}:{number}"
        if session.scalar(select(Outbox.id).where(Outbox.dedupe == dedupe)) is not None:
            continue
        session.add(
            Outbox(
                dedupe=dedupe,
                person_id=person.id,
                channel=person.channel,
                priority=PRIORITY[message.kind],
                body=vault.seal(asdict(message)),
                state=QUEUED,
                attempts=0,
                not_before=0.0,
                created_at=now,
            )
        )


def due(session: Session, channel: str, now: float, limit: int) -> list[tuple[int, str]]:
    """Rows that may go out now, (id, person): the first of each person, the most urgent first."""
    earlier = aliased(Outbox)
    blocked_by = (
        select(earlier.id)
        .where(
            earlier.person_id == Outbox.person_id,
            earlier.state.in_((QUEUED, SENDING)),
            (earlier.priority < Outbox.priority) | ((earlier.priority == Outbox.priority) & (earlier.id < Outbox.id)),
        )
        .exists()
    )
    rows = session.execute(
        select(Outbox.id, Outbox.person_id)
        .where(Outbox.channel == channel, Outbox.state == QUEUED, Outbox.not_before <= now, ~blocked_by)
        .order_by(Outbox.priority, Outbox.id)
        .limit(limit)
    )
    return [(row.id, row.person_id) for row in rows]


def begin(session: Session, vault: Vault, row_id: int) -> Sending | None:
    """Mark a row as being sent; ``None`` where another process took it."""
    taken = session.execute(
        update(Outbox)
        .where(Outbox.id == row_id, Outbox.state == QUEUED)
        .values(state=SENDING, attempts=Outbox.attempts + 1)
        .returning(Outbox.person_id, Outbox.body, Outbox.priority, Outbox.attempts)
    ).first()
    if taken is None or taken.body is None:
        return None
    person = session.get_one(Person, taken.person_id)
    return Sending(
        id=row_id,
        person_id=person.id,
        address=vault.open(person.address),
        message=message_from(vault.open(taken.body)),
        priority=taken.priority,
        attempts=taken.attempts,
    )


def sent(session: Session, sending: Sending, message_id: int | None, now: float) -> None:
    """It is out: its text goes, its place in the chat stays known for 48 hours."""
    session.execute(update(Outbox).where(Outbox.id == sending.id).values(state=SENT, body=None))
    if message_id is not None:
        mark(session, sending.person_id, message_id, now)


def retry(session: Session, row_id: int, not_before: float) -> None:
    """It is not out: try again later."""
    session.execute(update(Outbox).where(Outbox.id == row_id).values(state=QUEUED, not_before=not_before))


def give_up(session: Session, row_id: int, reason: str) -> None:
    """It will never be out; why."""
    session.execute(update(Outbox).where(Outbox.id == row_id).values(state=GIVEN_UP, body=None, reason=reason[:60]))


def after_a_crash(session: Session, channel: str) -> int:
    """Rows that were on their way when a process died: safety again always, others once more.

    Returns how many may now reach somebody twice.
    """
    rows = session.execute(
        select(Outbox.id, Outbox.priority, Outbox.attempts).where(Outbox.channel == channel, Outbox.state == SENDING)
    ).all()
    repeated = 0
    for row in rows:
        if row.priority == PRIORITY[Kind.SAFETY] or row.attempts < MAX_AMBIGUOUS:
            retry(session, row.id, 0.0)
            repeated += 1
        else:
            give_up(session, row.id, "unknown after a crash")
    return repeated


def mark(session: Session, person_id: str, message_id: int, now: float) -> None:
    """Remember a message's place in the chat, so that it can be hidden."""
    if session.get(ChatMark, (person_id, message_id)) is None:
        session.add(ChatMark(person_id=person_id, message_id=message_id, at=now))


def marks(session: Session, person_id: str, now: float) -> list[int]:
    """The messages of a chat that can still be deleted, newest first."""
    rows = session.scalars(
        select(ChatMark.message_id)
        .where(ChatMark.person_id == person_id, ChatMark.at > now - HIDE_SECONDS)
        .order_by(ChatMark.message_id.desc())
    )
    return list(rows)


def drop_marks(session: Session, person_id: str) -> None:
    """Forget what stood in a chat."""
    session.execute(delete(ChatMark).where(ChatMark.person_id == person_id))


def read_after(session: Session, vault: Vault, person_id: str, after: int) -> list[tuple[int, Message]] | None:
    """What a web chat has not fetched yet; what it has fetched loses its text. ``None`` once the chat is over."""
    if session.get(Person, person_id) is None:
        return None
    session.execute(
        update(Outbox)
        .where(Outbox.person_id == person_id, Outbox.id <= after, Outbox.body.is_not(None))
        .values(state=SENT, body=None)
    )
    rows = session.execute(
        select(Outbox.id, Outbox.body)
        .where(Outbox.person_id == person_id, Outbox.id > after, Outbox.body.is_not(None))
        .order_by(Outbox.id)
    )
    return [(row.id, message_from(vault.open(row.body))) for row in rows if row.body]


def drop_waiting(session: Session, person_id: str) -> None:
    """What has not gone out yet to somebody who hides the conversation must not appear after it."""
    waiting = update(Outbox).where(Outbox.person_id == person_id, Outbox.state == QUEUED)
    session.execute(waiting.values(state=GIVEN_UP, body=None, reason="hidden"))


def drop_all(session: Session, person_id: str) -> None:
    """Delete everything that waits for a person or was said to them."""
    session.execute(delete(Outbox).where(Outbox.person_id == person_id))


def purge(session: Session, now: float) -> None:
    """Delete rows that are done with, and places in chats that can no longer be deleted."""
    session.execute(delete(Outbox).where(Outbox.state.in_((SENT, GIVEN_UP)), Outbox.created_at < now - 86_400))
    session.execute(delete(ChatMark).where(ChatMark.at < now - HIDE_SECONDS))


def message_from(values: dict[str, Any]) -> Message:
    """A message out of its sealed form."""
    rows = tuple(tuple(Button(**button) for button in row) for row in values["rows"])
    return Message(**{**values, "rows": rows, "kind": Kind(values["kind"])})

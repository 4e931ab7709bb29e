"""Tables of the gateway's own store: people's addresses and the two queues.

``docs/privacy.md`` says of each column why it is there and when it goes.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite counts only INTEGER primary keys up by itself.
_Counter = BigInteger().with_variant(Integer, "sqlite")
# Else SQLite gives the id of a deleted newest row away again, and whoever asks for what came after
# that id (a page, after "hide this") never sees the new row.
_NEVER_REUSED = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """The tables of the gateway's store."""


class Person(Base):
    """A chat: where to answer, and what was chosen. Goes 30 days after the last message."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes] = mapped_column(LargeBinary)  # the chat id, encrypted
    choice: Mapped[str | None] = mapped_column(String(8))  # the language chosen with a button
    last_clear: Mapped[str | None] = mapped_column(String(8))
    hint: Mapped[str | None] = mapped_column(String(8))  # Telegram's own language setting
    site: Mapped[str | None] = mapped_column(String(20))
    site_until: Mapped[date | None] = mapped_column(Date)
    pseudonym: Mapped[str] = mapped_column(String(32))  # the name Rasa knows, for 24 hours
    pseudonym_until: Mapped[float] = mapped_column(Float)
    last_day: Mapped[date] = mapped_column(Date)
    blocked: Mapped[bool] = mapped_column(Boolean, default=False)


class Inbox(Base):
    """What came in and is not answered yet; ``body`` is encrypted and goes when it is handled."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_open", "state", "person_id", "id"), _NEVER_REUSED)

    id: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    source_key: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[float] = mapped_column(Float, default=0.0)
    told_to_wait: Mapped[bool] = mapped_column(Boolean, default=False)


class Outbox(Base):
    """What goes out; ``dedupe`` makes a repeated turn say nothing twice."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_open", "state", "priority", "id"),
        Index("outbox_person", "person_id", "id"),
        _NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    dedupe: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[float] = mapped_column(Float, default=0.0)
    created_at: Mapped[float] = mapped_column(Float)
    reason: Mapped[str | None] = mapped_column(String(60))


class ChatMark(Base):
    """A message that stands in somebody's chat, so that "hide this" can delete it. 48 hours."""

    __tablename__ = "chat_marks"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[float] = mapped_column(Float)


class SafetySent(Base):
    """That a safety text went out within the hour; ``digest`` hides which, and to whom."""

    __tablename__ = "safety_sent"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[float] = mapped_column(Float)

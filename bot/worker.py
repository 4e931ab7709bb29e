"""Workers: each takes a stored message, answers it, and lets go of its text."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import inbox, outbox, people
from bot.conversation import Conversation, Known, Outcome, forget_safety_of, known, queue_outcome
from bot.crypto import Vault, WrongKey
from bot.gateway_store import GatewayStore
from bot.inbox import Claim
from bot.incoming import Sent
from bot.metrics import Metrics
from bot.models import Person
from bot.rasa_client import RasaFailed
from bot.telegram_channel import TelegramChannel
from store.counts import count

logger = logging.getLogger(__name__)

WORKERS = 6
_IDLE_SECONDS = 0.5
_MOST_ATTEMPTS = 5  # of a turn that fails by a fault of ours; one that waits for Rasa waits on


class Workers:
    """A few workers on one queue; the database keeps them from each other's messages."""

    def __init__(
        self,
        *,
        store: GatewayStore,
        conversation: Conversation,
        channel: TelegramChannel | None,
        records: Engine,
        metrics: Metrics,
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._conversation = conversation
        self._channel = channel
        self._records = records
        self._metrics = metrics
        self._queued = queued
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            try:
                busy = await self._step()
            except (SQLAlchemyError, WrongKey) as error:
                logger.error("a worker paused: %s", type(error).__name__)
                busy = False
                await asyncio.sleep(1.0)
            if not busy:
                await self._rest()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), _IDLE_SECONDS)
        except TimeoutError:
            return
        self.wake.clear()

    async def _step(self) -> bool:
        """Handle one message; whether there was one."""
        claimed = await self._store.do(lambda session: inbox.claim(session, self._store.vault, time.time()))
        if claimed is None:
            return False
        self.wake.set()  # there may be more: let the others look too
        await self._handle(claimed)
        return True

    async def _handle(self, claimed: Claim) -> None:
        person = await self._store.do(lambda session: _known(session, claimed))
        if person is None or claimed.incoming.kind in (Sent.BLOCKED, Sent.UNBLOCKED):
            await self._store.do(lambda session: _membership(session, claimed))
            return
        await self._acknowledge(claimed)
        try:
            outcome = await self._conversation.answer(person, claimed.incoming)
        except RasaFailed as error:
            await self._later(claimed, person, error)
            return
        except Exception as error:  # one message that cannot be answered must not stop the rest
            logger.error("a turn failed: %s at %s", type(error).__name__, _place(error))
            if claimed.attempts < _MOST_ATTEMPTS:
                await self._later(claimed, person, RasaFailed(type(error).__name__))
                return
            outcome = Outcome([self._conversation.speaker.unsure((), person.fallback_language())])
        await self._finish(claimed, person, outcome)

    async def _acknowledge(self, claimed: Claim) -> None:
        if self._channel and claimed.incoming.callback_id:
            await self._channel.acknowledge(claimed.incoming.callback_id)

    async def _finish(self, claimed: Claim, person: Known, outcome: Outcome) -> None:
        hidden: list[int] = []

        def work(session: Session) -> str | None:
            row = session.get(Person, claimed.person_id)
            if row is None:
                return None
            if claimed.incoming.message_id is not None and claimed.incoming.kind is not Sent.BUTTON:
                outbox.mark(session, row.id, claimed.incoming.message_id, time.time())
            if outcome.hide_all:
                hidden.extend(_hide(session, row, claimed))
                forget_safety_of(session, self._store.vault, row.id, self._conversation.speaker)
            if not (outcome.hide_all and row.channel == people.WEB):  # the page has cleared itself
                queue_outcome(
                    session,
                    self._store.vault,
                    person=row,
                    key=f"in:{claimed.id}",
                    outcome=outcome,
                    speaker=self._conversation.speaker,
                    now=time.time(),
                )
            inbox.finish(session, claimed.id)
            return _address(self._store.vault, row)

        address = await self._store.do(work)
        self._queued()
        self._metrics.answer_seconds.observe(time.time() - claimed.received_at)
        if self._channel and address and person.channel == people.TELEGRAM:
            await self._delete(self._channel, address, [*hidden, *outcome.delete_in_chat])
        await self._count(outcome)

    async def _delete(self, channel: TelegramChannel, address: str, message_ids: list[int]) -> None:
        if message_ids:
            await channel.delete(address, message_ids)

    async def _later(self, claimed: Claim, person: Known, error: RasaFailed) -> None:
        """Say once that the message is kept, and try again later."""
        logger.warning("a turn has to wait: %s", error)
        self._metrics.failed_turns.inc()

        def work(session: Session) -> None:
            row = session.get(Person, claimed.person_id)
            if row is not None and not claimed.told_to_wait:
                line = self._conversation.wait_line(person)
                outbox.put(
                    session, self._store.vault, person=row, key=f"wait:{claimed.id}", messages=[line], now=time.time()
                )
            inbox.put_back(session, claimed, time.time(), told_to_wait=True)

        await self._store.do(work)
        self._queued()

    async def _count(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        if verdict is None:
            return
        danger = verdict.danger_topic is not None
        if danger:
            self._metrics.dangers.inc()
        else:
            self._metrics.decisions.labels(verdict.language, verdict.decision.value).inc()
        try:
            await asyncio.get_running_loop().run_in_executor(
                None,
                lambda: count(
                    self._records,
                    day=_today(),
                    language=verdict.language,
                    topic=verdict.topic,
                    decision=verdict.decision.value,
                    danger=danger,
                ),
            )
        except SQLAlchemyError as error:
            logger.warning("an answer was not counted: %s", type(error).__name__)


def _place(error: BaseException) -> str:
    """Where an error arose, without what it says: its text may hold a person's words."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"


def _known(session: Session, claimed: Claim) -> Known | None:
    person = session.get(Person, claimed.person_id)
    return known(person, time.time()) if person else None


def _membership(session: Session, claimed: Claim) -> None:
    """Blocked or unblocked: nothing is said; what waits for somebody who blocked us is dropped."""
    person = session.get(Person, claimed.person_id)
    if person is not None and claimed.incoming.kind is Sent.BLOCKED:
        person.blocked = True
        outbox.drop_all(session, person.id)
    inbox.finish(session, claimed.id)


def _hide(session: Session, person: Person, claimed: Claim) -> list[int]:
    places = outbox.marks(session, person.id, time.time())
    if claimed.incoming.message_id is not None:
        places.append(claimed.incoming.message_id)
    outbox.drop_marks(session, person.id)
    if person.channel == people.WEB:
        outbox.drop_all(session, person.id)
    else:
        outbox.drop_waiting(session, person.id)
    return list(dict.fromkeys(places))


def _address(vault: Vault, person: Person) -> str | None:
    address = vault.open(person.address)
    return str(address) if address else None


def _today() -> date:
    return datetime.now(UTC).date()

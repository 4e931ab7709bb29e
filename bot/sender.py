"""Sends what is queued for Telegram: in order for each person, within Telegram's limits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from sqlalchemy.orm import Session

from bot import outbox, people
from bot.conversation import FORGOTTEN, GROUP_LEAVE
from bot.gateway_store import GatewayStore
from bot.metrics import Metrics
from bot.models import Person
from bot.outbox import Sending
from bot.telegram_channel import Delivery, Fate, TelegramChannel
from content.messages import Kind

logger = logging.getLogger(__name__)

PER_CHAT_SECONDS = 1.05
PER_SECOND = 25.0
_IDLE_SECONDS = 0.5
_BATCH = 25
_REMEMBERED_CHATS = 10_000
_BACKOFF_LONGEST = 300.0


class Pace:
    """When the next message may go: 25 a second in all, one a second for each chat."""

    def __init__(self) -> None:
        self._next = 0.0
        self._chats: OrderedDict[str, float] = OrderedDict()

    def free(self, person_id: str, now: float) -> bool:
        """Whether this chat may get a message now."""
        return self._chats.get(person_id, 0.0) <= now

    def wait(self, now: float) -> float:
        """Seconds until anything may go, and takes that place."""
        at = max(now, self._next)
        self._next = at + 1.0 / PER_SECOND
        return at - now

    def used(self, person_id: str, now: float, seconds: float = PER_CHAT_SECONDS) -> None:
        """A chat got a message, or asked for patience."""
        self._chats[person_id] = now + seconds
        self._chats.move_to_end(person_id)
        while len(self._chats) > _REMEMBERED_CHATS:
            self._chats.popitem(last=False)


class Sender:
    """The loop that empties the outbox."""

    def __init__(self, store: GatewayStore, channel: TelegramChannel, metrics: Metrics) -> None:
        self._store = store
        self._channel = channel
        self._metrics = metrics
        self._pace = Pace()
        self._running: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; survives a database that is away."""
        await self._after_a_crash()
        while True:
            try:
                busy = await self._round()
            except Exception as error:  # the loop must outlive whatever a database or a line does
                logger.error("sending paused: %s", type(error).__name__)
                busy = False
                await asyncio.sleep(1.0)
            if not busy:
                await self._rest()

    async def _after_a_crash(self) -> None:
        doubled = await self._store.do(lambda session: outbox.after_a_crash(session, people.TELEGRAM))
        if doubled:
            self._metrics.maybe_doubled.inc(doubled)
            logger.warning("%d messages were on their way when we stopped; some may arrive twice", doubled)

    async def _round(self) -> bool:
        now = time.time()
        due = await self._store.do(lambda session: outbox.due(session, people.TELEGRAM, now, _BATCH * 4))
        ready = [row for row in due if self._pace.free(row[1], time.monotonic())][:_BATCH]
        for row_id, person_id in ready:
            await asyncio.sleep(self._pace.wait(time.monotonic()))
            self._pace.used(person_id, time.monotonic())
            sending = await self._begin(row_id)
            if sending:
                task = asyncio.create_task(self._send(sending))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        return bool(ready)

    async def _begin(self, row_id: int) -> Sending | None:
        return await self._store.do(lambda session: outbox.begin(session, self._store.vault, row_id))

    async def _rest(self) -> None:
        self.wake.clear()
        try:
            await asyncio.wait_for(self.wake.wait(), _IDLE_SECONDS)
        except TimeoutError:
            return

    async def _send(self, sending: Sending) -> None:
        deliveries = await self._channel.send(sending.address, sending.message)
        for delivery in deliveries[:-1]:
            await self._note_part(sending, delivery)
        await self._settle(sending, deliveries[-1])
        self.wake.set()

    async def _note_part(self, sending: Sending, delivery: Delivery) -> None:
        if delivery.message_id is not None:
            place = delivery.message_id
            await self._store.do(lambda session: outbox.mark(session, sending.person_id, place, time.time()))

    async def _settle(self, sending: Sending, delivery: Delivery) -> None:
        self._metrics.sent.labels(delivery.fate.value).inc()
        if delivery.fate is Fate.SENT:
            await self._store.do(lambda session: outbox.sent(session, sending, delivery.message_id, time.time()))
            await self._afterwards(sending)
        elif delivery.fate is Fate.LATER:
            self._pace.used(sending.person_id, time.monotonic(), max(delivery.retry_after, PER_CHAT_SECONDS))
            wait = delivery.retry_after or min(2.0**sending.attempts, _BACKOFF_LONGEST)
            await self._store.do(lambda session: outbox.retry(session, sending.id, time.time() + wait))
        elif delivery.fate is Fate.UNKNOWN:
            await self._settle_unknown(sending, delivery)
        else:
            await self._give_up(sending, delivery)

    async def _settle_unknown(self, sending: Sending, delivery: Delivery) -> None:
        """The line broke: safety goes again always, anything else a few times."""
        again = (
            sending.message.kind is Kind.SAFETY or sending.attempts < outbox.MAX_AMBIGUOUS or "broke" in delivery.reason
        )
        if not again:
            await self._give_up(sending, delivery)
            return
        if "timed" in delivery.reason:
            self._metrics.maybe_doubled.inc()
        wait = min(2.0**sending.attempts, _BACKOFF_LONGEST)
        await self._store.do(lambda session: outbox.retry(session, sending.id, time.time() + wait))

    async def _give_up(self, sending: Sending, delivery: Delivery) -> None:
        logger.info("a message was given up: %s", delivery.reason)

        def work(session: Session) -> None:
            outbox.give_up(session, sending.id, delivery.reason)
            person = session.get(Person, sending.person_id)
            if delivery.fate is Fate.BLOCKED and person is not None:
                person.blocked = True

        await self._store.do(work)

    async def _afterwards(self, sending: Sending) -> None:
        if sending.message.response == GROUP_LEAVE:
            await self._channel.leave(sending.address)
        if sending.message.response in (GROUP_LEAVE, FORGOTTEN):
            await self._store.do(lambda session: people.forget(session, sending.person_id))

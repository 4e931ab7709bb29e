"""A bot's updates on their way out: kept a day, fetched by getUpdates or posted to a webhook.

Telegram puts the updates of one chat (for a tapped button: of one person) in a lane. Within
a lane the next update is posted only after the one before it was taken with a 2xx; lanes
run side by side, as many at once as `max_connections`, and start in the order of arrival.
With `max_connections=1` the whole bot is in order. A failed update is posted again at once,
then after growing waits, and holds up its own lane alone.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .errors import conflict
from .params import Json
from .posting import Answer, Poster, PostError

DEFAULT_KINDS = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "callback_query",
        "my_chat_member",
    }
)
"""What arrives unless `allowed_updates` says otherwise, of the kinds this server knows."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How patiently updates are kept and posted; the defaults are Telegram's."""

    retry_s: float = 2.0  # after the second failure; the first repeat comes at once
    longest_retry_s: float = 60.0
    timeout_s: float = 60.0
    keep_s: float = 24 * 3600.0


@dataclass(eq=False)
class Pending:
    """One update nobody has confirmed yet."""

    update_id: int
    body: Json
    lane: int
    expires: float
    failures: int = 0


@dataclass(eq=False)
class Webhook:
    """Where updates are posted to."""

    url: str
    secret: str = ""
    max_connections: int = 40
    certificate: bytes = b""
    last_error: tuple[float, str] | None = None
    posted: int = 0  # attempts, repeats included
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)


class Updates:
    """The queue of one bot."""

    def __init__(self, clock: Callable[[], float], policy: Policy, first_id: int) -> None:
        self._clock = clock
        self.policy = policy
        self._next_id = first_id
        self._pending: OrderedDict[int, Pending] = OrderedDict()
        self._lanes: dict[int, deque[Pending]] = {}
        self._poll: asyncio.Future[None] | None = None
        self._slots = asyncio.Semaphore(1)
        self._changing = asyncio.Lock()
        self._poster: Poster | None = None
        self.webhook: Webhook | None = None
        self.allowed: frozenset[str] = DEFAULT_KINDS
        self.on_reply: Callable[[str, Json], Awaitable[None]] | None = None

    def __len__(self) -> int:
        self._expire()
        return len(self._pending)

    def add(self, kind: str, content: Json, lane: int) -> int | None:
        """Queue an update; None where the bot did not ask for this kind."""
        if kind not in self.allowed:
            return None
        update_id, self._next_id = self._next_id, self._next_id + 1
        body = {"update_id": update_id, kind: content}
        pending = Pending(update_id, body, lane, self._clock() + self.policy.keep_s)
        self._pending[update_id] = pending
        self._lanes.setdefault(lane, deque()).append(pending)
        self._nudge(lane)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        return update_id

    @property
    def polling(self) -> bool:
        """Whether a getUpdates is waiting for something to come."""
        return self._poll is not None

    @property
    def webhook_error(self) -> str | None:
        """What went wrong last with the webhook, as getWebhookInfo says it."""
        error = self.webhook.last_error if self.webhook else None
        return error[1] if error else None

    def drop_all(self) -> None:
        """Forget everything that waits (drop_pending_updates)."""
        for pending in list(self._pending.values()):
            self._forget(pending)

    # --- getUpdates -------------------------------------------------------------------

    async def take(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """The updates from `offset` on; those before it are confirmed and forgotten."""
        if self.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self._expire()
        self._confirm(offset)
        if timeout and not self._pending:
            await self._wait(timeout)
        return [one.body for one in list(self._pending.values())[:limit]]

    async def _wait(self, timeout: float) -> None:
        self._end_poll("terminated by other getUpdates request; make sure that only one bot instance is running")
        poll = self._poll = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await poll
        except TimeoutError:
            return
        finally:
            if self._poll is poll:
                self._poll = None

    def _end_poll(self, why: str | None) -> None:
        """End a waiting getUpdates: empty-handed, or with 409 and the reason."""
        poll, self._poll = self._poll, None
        if poll is None or poll.done():
            return
        if why is None:
            poll.set_result(None)
        else:
            poll.set_exception(conflict(why))

    def _confirm(self, offset: int) -> None:
        if offset < 0:  # counted from the end; what comes before is forgotten
            offset = list(self._pending)[offset:][0] if self._pending else 0
        for update_id in list(self._pending):
            if update_id >= offset:
                return
            self._forget(self._pending[update_id])

    # --- webhook ----------------------------------------------------------------------

    async def set_webhook(self, webhook: Webhook | None) -> None:
        """Post to `webhook` from now on; None: keep the updates for getUpdates."""
        async with self._changing:
            await self._stop_posting()
            self.webhook = webhook
            if webhook is not None:
                self._start_posting(webhook)

    def _start_posting(self, webhook: Webhook) -> None:
        self._end_poll("terminated by setWebhook request")
        self._slots = asyncio.Semaphore(webhook.max_connections)
        self._poster = Poster(webhook.url, timeout_s=self.policy.timeout_s, trust=_trust(webhook))
        for lane in self._lanes:
            self._nudge(lane)

    async def close(self) -> None:
        """Stop posting and let a waiting getUpdates go."""
        self._end_poll(None)
        await self._stop_posting()

    async def _stop_posting(self) -> None:
        if self.webhook is not None:
            tasks = list(self.webhook.tasks.values())
            self.webhook.tasks.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._poster is not None:
            await self._poster.close()
            self._poster = None

    def _nudge(self, lane: int) -> None:
        webhook = self.webhook
        if webhook is None or self._poster is None or lane in webhook.tasks:
            return
        webhook.tasks[lane] = asyncio.create_task(self._run_lane(webhook, lane))

    async def _run_lane(self, webhook: Webhook, lane: int) -> None:
        while pending := self._next(lane):
            async with self._slots:
                problem, wait = await self._post(webhook, pending)
            if problem is None:
                self._forget(pending)
            else:
                webhook.last_error = (self._clock(), problem)
                pending.failures += 1
                await asyncio.sleep(wait or self._backoff(pending.failures))
        webhook.tasks.pop(lane, None)

    def _next(self, lane: int) -> Pending | None:
        self._expire()
        queue = self._lanes.get(lane)
        return queue[0] if queue else None

    def _backoff(self, failures: int) -> float:
        """Nothing after the first failure, then doubling."""
        if failures < 2:
            return 0.0
        wait: float = self.policy.retry_s * 2 ** min(failures - 2, 20)
        return min(self.policy.longest_retry_s, wait)

    async def _post(self, webhook: Webhook, pending: Pending) -> tuple[str | None, float]:
        """Post once: what went wrong (None: nothing), and how long the answer asks to wait."""
        if self._poster is None:
            return "Webhook was closed", 0.0
        headers = {SECRET_HEADER: webhook.secret} if webhook.secret else {}
        webhook.posted += 1
        try:
            content = json.dumps(pending.body, ensure_ascii=False).encode()
            answer = await self._poster.post(content, headers)
        except PostError as error:
            return str(error), 0.0
        if not answer.taken:
            problem = f"{answer.status} {answer.reason}"
            return f"Wrong response from the webhook: {problem}", _retry_after(answer)
        await self._hear(answer)
        return None, 0.0

    async def _hear(self, answer: Answer) -> None:
        """An answer to a webhook may itself be a call; its result nobody learns."""
        try:
            call = json.loads(answer.body)
        except ValueError:
            return
        if self.on_reply and isinstance(call, dict) and isinstance(call.get("method"), str):
            await self.on_reply(call.pop("method"), call)

    # --- keeping ----------------------------------------------------------------------

    def _expire(self) -> None:
        now = self._clock()
        while self._pending:
            oldest = next(iter(self._pending.values()))
            if oldest.expires > now:
                break
            self._forget(oldest)

    def _forget(self, pending: Pending) -> None:
        self._pending.pop(pending.update_id, None)
        queue = self._lanes.get(pending.lane)
        if queue and pending in queue:
            queue.remove(pending)
            if not queue:
                del self._lanes[pending.lane]


def _retry_after(answer: Answer) -> float:
    value = answer.headers.get("retry-after", "")
    return float(min(int(value), 3600)) if value.isdigit() else 0.0


def _trust(webhook: Webhook) -> ssl.SSLContext | None:
    if not webhook.certificate:
        return None
    return ssl.create_default_context(cadata=webhook.certificate.decode())

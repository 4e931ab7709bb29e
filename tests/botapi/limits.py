"""The numbers Telegram sets, and the counting of messages per chat and in all.

Lengths and ages are documented. The message rates are documented as "about": one a second
in a chat with short bursts above it, 20 a minute in a group, 30 a second in all
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from .errors import ApiError, too_many


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every number a test may want to change; the defaults are Telegram's."""

    text: int = 4096  # UTF-16 units, counted after the markup is parsed
    caption: int = 1024
    callback_data: int = 64  # bytes
    callback_answer: int = 200
    callback_age_s: float = 30.0  # an older query is "too old"; the real number is not published
    buttons: int = 100
    commands: int = 100
    deletions: int = 100  # messages in one deleteMessages
    delete_age_s: float = 48 * 3600.0
    upload_bytes: int = 50 * 1024 * 1024
    photo_bytes: int = 10 * 1024 * 1024
    chat_per_s: float | None = 1.0  # None switches a rate off
    chat_burst: int = 3
    group_per_minute: int | None = 20
    overall_per_s: int | None = 30
    set_webhook_every_s: float = 1.0


UNLIMITED = Limits(chat_per_s=None, group_per_minute=None, overall_per_s=None, set_webhook_every_s=0.0)
"""Telegram's lengths, no rates: for tests that are about something else."""


class Bucket:
    """Fills at `rate` a second up to `size`; each message takes one."""

    def __init__(self, rate: float, size: int, now: float) -> None:
        self._rate = rate
        self._size = size
        self._level = float(size)
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until one more message fits."""
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        # A rounding error must not refuse who waited exactly as long as told.
        return max(0.0, (1.0 - 1e-6 - self._level) / self._rate)

    def take(self) -> None:
        self._level -= 1.0


class Window:
    """At most `count` messages in any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until one more message fits."""
        while self._taken and self._taken[0] <= now - self._seconds + 1e-6:
            self._taken.popleft()
        if len(self._taken) < self._count:
            return 0.0
        return self._taken[0] + self._seconds - now

    def take(self, now: float) -> None:
        self._taken.append(now)


class Flood:
    """Counts one bot's messages; refuses the one too many with 429."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chats: dict[int, Bucket] = {}
        self._groups: dict[int, Window] = {}
        self._overall = Window(limits.overall_per_s, 1.0) if limits.overall_per_s else None
        self.refused = 0

    def admit(self, chat_id: int, now: float) -> None:
        """Count one message to `chat_id`, or raise 429 and count nothing."""
        chat, group = self._chat(chat_id, now), self._group(chat_id)
        waits = [chat.wait(now) if chat else 0.0, group.wait(now) if group else 0.0]
        waits.append(self._overall.wait(now) if self._overall else 0.0)
        if max(waits) > 0:
            self.refused += 1
            raise self._error(max(waits))
        if chat:
            chat.take()
        for window in (group, self._overall):
            if window:
                window.take(now)

    def _chat(self, chat_id: int, now: float) -> Bucket | None:
        rate = self._limits.chat_per_s
        if rate is None:
            return None
        if chat_id not in self._chats:
            self._chats[chat_id] = Bucket(rate, self._limits.chat_burst, now)
        return self._chats[chat_id]

    def _group(self, chat_id: int) -> Window | None:
        count = self._limits.group_per_minute
        if count is None or chat_id > 0:
            return None
        return self._groups.setdefault(chat_id, Window(count, 60.0))

    @staticmethod
    def _error(wait: float) -> ApiError:
        return too_many(max(1, math.ceil(wait)))

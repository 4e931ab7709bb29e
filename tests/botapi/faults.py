"""Scripted faults: what a test tells this server to get wrong, and how often.

The first fault in the list that fits a call is used up by it. A fault with `after=True`
lets the call take effect first and spoils only the answer: the ambiguous case that a
sender without an idempotency key has to live with.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Literal, TypedDict, Unpack, get_args

Kind = Literal["error", "slow", "cut", "nonsense"]


class Where(TypedDict, total=False):
    """Which calls a fault strikes, and how often; the fields of `Fault` by these names."""

    method: str | None
    chat_id: int | None
    times: int | None
    skip: int
    probability: float
    after: bool


@dataclass(kw_only=True, eq=False)
class Fault:
    """One scripted fault; `fired` counts, `happened` can be waited for."""

    kind: Kind
    method: str | None = None  # None: every method
    chat_id: int | None = None  # None: every chat
    times: int | None = 1  # None: until cancelled
    skip: int = 0  # let so many fitting calls pass first
    probability: float = 1.0
    after: bool = False
    status: int = 500
    description: str = "Internal Server Error"
    retry_after: int | None = None
    delay_s: float = 0.0
    fired: int = 0
    happened: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no such kind of fault: {self.kind}")

    def fits(self, method: str, chat_id: int | None) -> bool:
        """Whether this fault is meant for such a call (chance and skipping aside)."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.method is not None and self.method.lower() != method.lower():
            return False
        return self.chat_id is None or self.chat_id == chat_id

    def cancel(self) -> None:
        """Never fire again."""
        self.times = self.fired


class Faults:
    """The list of faults of one server; empty at the start."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)

    def add(self, fault: Fault) -> Fault:
        """Put a fault at the end of the list."""
        self._faults.append(fault)
        return fault

    def flood(self, *, retry_after: int = 1, **where: Unpack[Where]) -> Fault:
        """429 with retry_after, whatever the real rate was."""
        why = f"Too Many Requests: retry after {retry_after}"
        return self.error(status=429, description=why, retry_after=retry_after, **where)

    def error(
        self,
        *,
        status: int = 500,
        description: str = "Internal Server Error",
        retry_after: int | None = None,
        **where: Unpack[Where],
    ) -> Fault:
        """An error answer of any status: 5xx, or a 400 or 403 out of the blue."""
        return self.add(
            Fault(
                kind="error",
                status=status,
                description=description,
                retry_after=retry_after,
                **where,
            )
        )

    def slow(self, seconds: float, **where: Unpack[Where]) -> Fault:
        """A right answer, late; `after` delays only the answer, not the effect."""
        return self.add(Fault(kind="slow", delay_s=seconds, **where))

    def cut(self, **where: Unpack[Where]) -> Fault:
        """The connection breaks without an answer, before or after taking effect."""
        return self.add(Fault(kind="cut", **where))

    def nonsense(self, **where: Unpack[Where]) -> Fault:
        """200 with a page instead of JSON, as a captive portal or a broken proxy sends."""
        return self.add(Fault(kind="nonsense", **where))

    def outage(self) -> Fault:
        """Every connection breaks until the returned fault is cancelled."""
        return self.cut(times=None)

    def clear(self) -> None:
        """Forget all faults."""
        for fault in self._faults:
            fault.cancel()
        self._faults.clear()

    def pick(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault this call runs into, if any; it is counted as fired."""
        self._faults = [one for one in self._faults if one.times is None or one.fired < one.times]
        for fault in self._faults:
            if fault.fits(method, chat_id) and self._strikes(fault):
                fault.fired += 1
                fault.happened.set()
                return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        return fault.probability >= 1.0 or self._random.random() < fault.probability

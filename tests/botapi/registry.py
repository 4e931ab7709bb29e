"""The list of methods, and what is checked the same way for each of them.

`@method` gives the name as documented, the arguments that must be there, and those that may.
What must be there is checked before the function runs, unless Telegram has a sentence of
its own for the case (an empty text, a missing chat).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .errors import bad_request
from .params import Params
from .state import Bot

Handler = Callable[[Bot, Params], Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """One method: its documented name, its arguments, and what it does."""

    name: str
    required: tuple[str, ...]
    known: frozenset[str]
    run: Handler


METHODS: dict[str, Method] = {}
"""Every method, by its name in lower case: Telegram does not mind the case."""


def method(name: str, required: str = "", optional: str = "") -> Callable[[Handler], Handler]:
    """Register a function as a method of the API."""

    def register(run: Handler) -> Handler:
        must = tuple(required.split())
        known = frozenset((*must, *optional.split()))
        METHODS[name.lower()] = Method(name, must, known, run)
        return run

    return register


async def perform(bot: Bot, one: Method, params: Params) -> Any:
    """Check the arguments of a call in outline, then do it."""
    unknown = params.names - one.known
    if bot.world.strict and unknown:
        raise bad_request(f"{one.name} has no parameter {', '.join(sorted(unknown))}")
    for name in one.required:
        if not params.has(name) and name not in params.files:
            raise bad_request(f'parameter "{name}" is required')
    return await one.run(bot, params)

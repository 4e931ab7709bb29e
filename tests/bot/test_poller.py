"""Polling: an update is confirmed once it is stored, and none holds up the others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.error import Conflict, NetworkError, RetryAfter

from bot import poller
from bot.poller import poll
from tests.factories import parsed, text_update


class Telegram:
    """Stands in for python-telegram-bot's ``Bot``: gives what it holds from an offset on."""

    def __init__(self, *ids: int, fails: list[Exception] | None = None) -> None:
        self.ids = ids
        self.fails = fails or []
        self.offsets: list[int | None] = []
        self.emptied = asyncio.Event()

    async def get_updates(self, *, offset: int | None, **options: Any) -> list[Update]:
        """Everything that is not confirmed; waits where there is nothing, as a long poll does."""
        self.offsets.append(offset)
        if self.fails:
            raise self.fails.pop(0)
        waiting = [number for number in self.ids if offset is None or number >= offset]
        if not waiting:
            self.emptied.set()
            await asyncio.Event().wait()
        return [parsed(text_update(f"message {number}", number)) for number in waiting]


class Intake:
    """Stands in for the intake: notes what it took, and fails as told."""

    def __init__(self, **failures: list[Exception]) -> None:
        self.taken: list[int] = []
        self.failures = {int(name.removeprefix("update_")): errors for name, errors in failures.items()}

    async def take(self, data: dict[str, Any]) -> None:
        """Store one update."""
        number = data["update_id"]
        if self.failures.get(number):
            raise self.failures[number].pop(0)
        self.taken.append(number)


async def run(telegram: Telegram, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll until nothing is left to confirm."""
    monkeypatch.setattr(poller, "_PAUSE_FIRST", 0.0)
    polling = asyncio.create_task(poll(telegram, intake))  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(telegram.emptied.wait(), 60)
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_what_is_stored_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    telegram, intake = Telegram(5, 6, 9), Intake()
    await run(telegram, intake, monkeypatch)
    assert intake.taken == [5, 6, 9]
    assert telegram.offsets == [None, 10]


async def test_what_could_not_be_stored_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    telegram = Telegram(5, 6, 7)
    intake = Intake(update_6=[OperationalError("insert", None, Exception("locked"))])
    await run(telegram, intake, monkeypatch)
    assert intake.taken == [5, 6, 7]
    assert telegram.offsets == [None, 6, 8]


async def test_an_update_that_cannot_be_read_is_skipped_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    telegram = Telegram(5, 6, 7)
    intake = Intake(update_6=[ValueError("not an update")] * 3)
    await run(telegram, intake, monkeypatch)
    assert intake.taken == [5, 7]
    assert telegram.offsets == [None, 8]
    assert "skipped" in caplog.text


@pytest.mark.parametrize(
    "error", [NetworkError("away"), Conflict("another program"), RetryAfter(0), TypeError("an unknown field")]
)
async def test_it_goes_on_after_whatever_telegram_does(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    telegram, intake = Telegram(5, fails=[error]), Intake()
    await run(telegram, intake, monkeypatch)
    assert intake.taken == [5]

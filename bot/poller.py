"""Polling, where there is no public address: an update is confirmed only after it is stored."""

from __future__ import annotations

import asyncio
import logging

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter

from bot.telegram_channel import ALLOWED_UPDATES
from bot.webhook import UpdateIntake

logger = logging.getLogger(__name__)

_LONG_POLL_SECONDS = 25
_PAUSE_FIRST, _PAUSE_LONGEST = 0.5, 30.0


async def poll(bot: Bot, intake: UpdateIntake) -> None:
    """Take updates until cancelled. The offset moves past an update only when it is stored."""
    offset: int | None = None
    pause = _PAUSE_FIRST
    while True:
        try:
            updates = await bot.get_updates(offset=offset, timeout=_LONG_POLL_SECONDS, allowed_updates=ALLOWED_UPDATES)
            for update in updates:
                await _take(intake, update)
                offset = update.update_id + 1
            pause = _PAUSE_FIRST
        except RetryAfter as error:
            seconds = error.retry_after
            await asyncio.sleep(seconds if isinstance(seconds, int) else seconds.total_seconds())
        except InvalidToken:
            logger.error("Telegram no longer accepts TELEGRAM_TOKEN")
            await asyncio.sleep(_PAUSE_LONGEST)
        except Exception as error:  # whatever Telegram, its library or the database do, polling goes on
            if isinstance(error, Conflict):
                logger.warning("another program takes this bot's updates")
            else:
                logger.warning("polling paused: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSE_LONGEST)


async def _take(intake: UpdateIntake, update: Update) -> None:
    """Store an update; one that cannot be read would come again for ever, and hold up all others."""
    try:
        await intake.take(update.to_dict())
    except ValueError:
        logger.error("an update could not be read and is skipped")

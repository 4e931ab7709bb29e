"""Telegram through python-telegram-bot: sending, deleting, set-up, and what its errors mean."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum

from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
)
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.render import direction_of, laid_out, readable, split
from content.languages import SOURCE_LANGUAGE, Languages
from content.messages import Message
from content.speaker import Speaker

logger = logging.getLogger(__name__)

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
_COMMANDS = ("start", "menu", "language", "privacy", "help", "forget")
_CALL_SECONDS = 15.0
_DELETE_AT_ONCE = 100
_TELEGRAM_CODE = 2  # Telegram takes two-letter codes only; others read the English commands


class Fate(Enum):
    """What became of a message that we tried to send."""

    SENT = "sent"
    LATER = "later"  # Telegram asks for patience, or is broken: not sent
    UNKNOWN = "unknown"  # the line broke: it may have been sent
    BLOCKED = "blocked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Delivery:
    """The fate of a message, with its place in the chat or the seconds to wait."""

    fate: Fate
    message_id: int | None = None
    retry_after: float = 0.0
    reason: str = ""


class TelegramChannel:
    """One bot account."""

    def __init__(self, token: str, api_url: str, languages: Languages) -> None:
        request = HTTPXRequest(
            connection_pool_size=16, read_timeout=_CALL_SECONDS, write_timeout=_CALL_SECONDS, connect_timeout=5.0
        )
        polling = HTTPXRequest(connection_pool_size=1, read_timeout=40.0, connect_timeout=5.0)
        base = f"{api_url}/bot"
        self.bot = Bot(token, base_url=base, request=request, get_updates_request=polling)
        self._languages = languages

    async def start(self) -> None:
        """Check the token; raises ``telegram.error.InvalidToken`` where Telegram does not know it."""
        await self.bot.initialize()

    async def stop(self) -> None:
        """Let go of connections."""
        await self.bot.shutdown()

    async def send(self, address: str, message: Message) -> list[Delivery]:
        """Send a message, split where it is long; stops at the first part that does not go out."""
        parts = split(readable(message, self._languages))
        deliveries = []
        for number, part in enumerate(parts):
            markup = self._keyboard(message) if number == len(parts) - 1 else None
            deliveries.append(await self._send_part(address, part, markup))
            if deliveries[-1].fate is not Fate.SENT:
                break
        return deliveries

    async def delete(self, address: str, message_ids: list[int]) -> None:
        """Delete messages of a chat, both sides; what Telegram will not delete stays."""
        for start in range(0, len(message_ids), _DELETE_AT_ONCE):
            try:
                await self.bot.delete_messages(int(address), message_ids[start : start + _DELETE_AT_ONCE])
            except TelegramError as error:
                logger.info("some messages could not be deleted: %s", type(error).__name__)

    async def acknowledge(self, callback_id: str) -> None:
        """Stop the little clock on a tapped button."""
        try:
            await self.bot.answer_callback_query(callback_id)
        except TelegramError as error:
            logger.debug("a tap was not acknowledged: %s", type(error).__name__)

    async def leave(self, address: str) -> None:
        """Leave a group."""
        try:
            await self.bot.leave_chat(int(address))
        except TelegramError as error:
            logger.info("a group was not left: %s", type(error).__name__)

    async def describe(self, speaker: Speaker) -> None:
        """Commands and descriptions in every language; English also for all others."""
        for language in self._languages:
            code = language.code
            if len(code) != _TELEGRAM_CODE:
                continue
            codes = ["", code] if code == SOURCE_LANGUAGE else [code]
            commands = [BotCommand(name, speaker.catalogue.line(f"utter_command_{name}", code)) for name in _COMMANDS]
            for tag in codes:
                await self.bot.set_my_commands(commands, language_code=tag or None)
                await self.bot.set_my_description(
                    speaker.catalogue.line("utter_bot_description", code), language_code=tag or None
                )
                await self.bot.set_my_short_description(
                    speaker.catalogue.line("utter_bot_short_description", code), language_code=tag or None
                )

    async def _send_part(self, address: str, text: str, markup: InlineKeyboardMarkup | None) -> Delivery:
        try:
            sent = await self.bot.send_message(
                int(address), text, reply_markup=markup, link_preview_options=LinkPreviewOptions(is_disabled=True)
            )
        except TelegramError as error:
            return fate_of(error)
        return Delivery(Fate.SENT, message_id=sent.message_id)

    def _keyboard(self, message: Message) -> InlineKeyboardMarkup | None:
        rows = laid_out(message.rows, direction_of(message.language, self._languages))
        if not rows:
            return None
        return InlineKeyboardMarkup(
            [[InlineKeyboardButton(button.title, callback_data=button.data) for button in row] for row in rows]
        )


def fate_of(error: TelegramError) -> Delivery:
    """What an error of the Bot API means for the message."""
    if isinstance(error, RetryAfter):
        seconds = error.retry_after
        return Delivery(Fate.LATER, retry_after=float(seconds if isinstance(seconds, int) else seconds.total_seconds()))
    if isinstance(error, Forbidden):
        return Delivery(Fate.BLOCKED, reason="blocked")
    if isinstance(error, BadRequest):
        return Delivery(Fate.REFUSED, reason="refused by Telegram")
    if isinstance(error, InvalidToken):
        return Delivery(Fate.LATER, retry_after=60.0, reason="token")
    if isinstance(error, TimedOut):
        return Delivery(Fate.UNKNOWN, reason="timed out")
    if isinstance(error, NetworkError):
        return Delivery(Fate.UNKNOWN, reason="line broke")
    return Delivery(Fate.LATER, retry_after=5.0, reason=type(error).__name__)

"""Every kind of Telegram update as the few shapes that the gateway knows. Decided here, once."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.incoming import Incoming, Sent
from bot.people import TELEGRAM, Address
from content.languages import Languages

_PRIVATE = ChatType.PRIVATE
_GONE = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
_COORDINATE_DIGITS = 5


@dataclass(frozen=True)
class Arrived:
    """One update: from where, and what."""

    address: Address
    incoming: Incoming


def read_update(update: Update, languages: Languages) -> Arrived | None:
    """What an update means for us; ``None`` for what needs no answer (channel posts, polls, …)."""
    if update.callback_query:
        return _tap(update.callback_query, languages)
    if update.my_chat_member:
        return _membership(update.my_chat_member, languages)
    message = update.message or update.edited_message
    if message is None or (message.from_user and message.from_user.is_bot and not message.new_chat_members):
        return None
    hint = languages.from_telegram(message.from_user.language_code if message.from_user else None)
    address = Address(TELEGRAM, str(message.chat.id), hint)
    if message.chat.type != _PRIVATE:
        return Arrived(address, Incoming(Sent.GROUP)) if _concerns_us(message) else None
    incoming = _message(message, edited=update.edited_message is not None)
    return Arrived(address, incoming) if incoming else None


def _message(message: Message, *, edited: bool) -> Incoming | None:
    place = message.message_id
    text = message.text or message.caption or ""
    if message.location:
        where = message.location
        coordinates = f"{where.latitude:.{_COORDINATE_DIGITS}f}, {where.longitude:.{_COORDINATE_DIGITS}f}"
        return Incoming(Sent.LOCATION, data=coordinates, message_id=place)
    kind = _kind(message)
    if kind is None:
        return None
    if kind is Sent.TEXT:
        return _text(message, text, edited=edited)
    return Incoming(kind, text=text, message_id=place)


def _kind(message: Message) -> Sent | None:
    """The kind of a private message; ``None`` for service messages such as a pinned message."""
    kinds = (
        (message.text, Sent.TEXT),
        (message.voice or message.audio, Sent.VOICE),
        (message.video or message.video_note or message.animation, Sent.VIDEO),
        (message.photo, Sent.PHOTO),
        (message.sticker, Sent.STICKER),
        (message.contact, Sent.CONTACT),
        (message.document, Sent.FILE),
        (message.poll or message.dice or message.game or message.venue or message.story, Sent.OTHER),
    )
    return next((kind for present, kind in kinds if present), None)


def _text(message: Message, text: str, *, edited: bool) -> Incoming:
    place = message.message_id
    if message.forward_origin:
        return Incoming(Sent.FORWARD, text=text, message_id=place)
    command = _command(text)
    if command:
        return Incoming(Sent.COMMAND, text=command[1], data=command[0], message_id=place)
    return Incoming(Sent.EDITED if edited else Sent.TEXT, text=text, message_id=place)


KNOWN_COMMANDS = ("start", "menu", "language", "privacy", "help", "forget")


def _command(text: str) -> tuple[str, str] | None:
    """Name and argument of one of our commands, in any case; anything else with a slash is text."""
    if not text.startswith("/"):
        return None
    first, _, rest = text[1:].strip().partition(" ")
    name = first.partition("@")[0].lower()
    return (name, rest.strip()) if name in KNOWN_COMMANDS else None


def _tap(query: CallbackQuery, languages: Languages) -> Arrived | None:
    if query.message is None or query.message.chat.type != _PRIVATE:
        return None
    hint = languages.from_telegram(query.from_user.language_code)
    address = Address(TELEGRAM, str(query.message.chat.id), hint)
    return Arrived(
        address,
        Incoming(Sent.BUTTON, data=query.data or "", message_id=query.message.message_id, callback_id=query.id),
    )


def _membership(change: ChatMemberUpdated, languages: Languages) -> Arrived | None:
    gone = change.new_chat_member.status in _GONE
    hint = languages.from_telegram(change.from_user.language_code)
    address = Address(TELEGRAM, str(change.chat.id), hint)
    if change.chat.type == _PRIVATE:
        return Arrived(address, Incoming(Sent.BLOCKED if gone else Sent.UNBLOCKED))
    if gone or change.chat.type == ChatType.CHANNEL:
        return None
    return Arrived(address, Incoming(Sent.GROUP))


def _concerns_us(message: Message) -> bool:
    """A group message that asks us to leave: we were added, or somebody wrote."""
    return bool(message.text or message.new_chat_members or message.group_chat_created)

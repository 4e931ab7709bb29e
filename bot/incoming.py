"""What a person sent, whatever the channel, in the few shapes that the gateway knows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Sent(StrEnum):
    """The kinds of things that come in."""

    TEXT = "text"
    EDITED = "edited"
    FORWARD = "forward"
    COMMAND = "command"
    BUTTON = "button"
    VOICE = "voice"
    VIDEO = "video"
    PHOTO = "photo"
    STICKER = "sticker"
    FILE = "file"
    CONTACT = "contact"
    LOCATION = "location"
    GROUP = "group"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    OTHER = "other"


@dataclass(frozen=True)
class Incoming:
    """One thing that a person sent.

    ``text`` holds the words, or a command's argument; ``data`` a button's key or a command's name;
    ``message_id`` the message in the chat, so that it can be hidden; ``callback_id`` what Telegram
    wants acknowledged after a tap.
    """

    kind: Sent
    text: str = ""
    data: str = ""
    message_id: int | None = None
    callback_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For sealing."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Incoming:
        """Back from :meth:`as_dict`."""
        return cls(**{**values, "kind": Sent(values["kind"])})

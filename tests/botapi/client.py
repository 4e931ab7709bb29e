"""The person's side of the chat, for tests: say, tap, share, block, and wait for answers.

Everything here runs on the server's own event loop; from another thread use `Server.run`.
Waiting is for something to happen (a message, an edit, a deletion), never for time to pass;
`timeout` only says when to give up and tell what came instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .markup import slice_utf16
from .params import Json
from .state import Bot, Chat, ChatType, Message, Query

# The smallest PNG there is: one black dot.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001"
    "4803e2d90000000049454e44ae426082"
)


@dataclass(frozen=True)
class Button:
    """One button of an inline keyboard, as a person meets it."""

    text: str
    message_id: int
    data: str | None = None
    url: str | None = None
    copy_text: str | None = None


class Received:
    """A message of the bot as the person sees it now, edits included."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __repr__(self) -> str:
        return f"<Received {self.id} {self.text!r} {[one.text for one in self.buttons]}>"

    @property
    def id(self) -> int:
        """The message's number in this chat."""
        return self._message.id

    @property
    def body(self) -> Json:
        """All of it, as the Bot API shows it."""
        return self._message.body

    @property
    def text(self) -> str:
        """The text, or the caption of a picture."""
        return str(self.body.get("text", self.body.get("caption", "")))

    @property
    def entities(self) -> list[Json]:
        """Bold, links, codes and phone numbers in the text."""
        found: list[Json] = self.body.get("entities") or self.body.get("caption_entities") or []
        return list(found)

    @property
    def rows(self) -> list[list[Button]]:
        """The inline keyboard, row by row."""
        markup = self.body.get("reply_markup", {})
        return [[self._button(one) for one in row] for row in markup.get("inline_keyboard", [])]

    @property
    def buttons(self) -> list[Button]:
        """The inline keyboard, all rows in one."""
        return [button for row in self.rows for button in row]

    @property
    def keyboard(self) -> Json | None:
        """A keyboard of another kind that came with it: reply keyboard, removal, force reply."""
        return self._message.keyboard

    @property
    def at(self) -> float:
        """When it was sent, by the server's clock."""
        return self._message.at

    @property
    def silent(self) -> bool:
        """Sent without a sound."""
        return self._message.silent

    @property
    def protected(self) -> bool:
        """Cannot be forwarded or saved."""
        return bool(self.body.get("has_protected_content"))

    @property
    def edited(self) -> bool:
        """Changed since it came."""
        return "edit_date" in self.body

    @property
    def deleted(self) -> bool:
        """No longer in the chat."""
        return self._message.deleted

    def parts(self, kind: str) -> list[str]:
        """The pieces of text with an entity of this kind, "code" or "phone_number" say."""
        return [slice_utf16(self.text, one["offset"], one["length"]) for one in self.entities if one["type"] == kind]

    def _button(self, one: Json) -> Button:
        copied = one.get("copy_text", {}).get("text")
        return Button(one["text"], self.id, one.get("callback_data"), one.get("url"), copied)


class Tap:
    """A tap on a button: whether the bot has answered it, and how."""

    def __init__(self, query: Query) -> None:
        self._query = query

    @property
    def answered(self) -> bool:
        """The little clock on the button has stopped."""
        return self._query.answer is not None

    @property
    def answer(self) -> Json:
        """{"text", "show_alert"} of the answer."""
        if self._query.answer is None:
            raise AssertionError("the tap has not been answered")
        return self._query.answer

    async def wait_answered(self, timeout: float = 5.0) -> Json:
        """Wait till the bot answers the tap."""
        await self._query.chat.changed.until(lambda: self.answered, timeout)
        return self.answer


class Person:
    """Somebody with Telegram on their phone."""

    def __init__(self, bot: Bot, name: str, *, language_code: str = "", username: str = "") -> None:
        self._bot = bot
        self._seen = 0
        self.user = bot.world.add_user(name, language_code=language_code, username=username)

    @property
    def id(self) -> int:
        """The account's number; also the number of the private chat."""
        return self.user.id

    @property
    def chat(self) -> Chat:
        """The private chat with the bot; opened by looking at it."""
        return self._bot.open_private(self.user)

    @property
    def messages(self) -> list[Received]:
        """The bot's messages that are still there."""
        return [Received(one) for one in self.chat.from_bot if not one.deleted]

    @property
    def everything(self) -> list[Received]:
        """The bot's messages, deleted ones included."""
        return [Received(one) for one in self.chat.from_bot]

    @property
    def texts(self) -> list[str]:
        """What the bot's messages say."""
        return [one.text for one in self.messages]

    # --- writing --------------------------------------------------------------------------

    async def start(self, payload: str = "") -> int:
        """Press Start, with what followed "?start=" in the link."""
        return await self.say(f"/start {payload}".rstrip())

    async def say(self, text: str, *, reply_to: int | None = None) -> int:
        """Type a message; returns its number."""
        return self._write({"text": text} | self._reply(reply_to))

    async def share_location(self, latitude: float, longitude: float) -> int:
        """Send where one is."""
        return self._write({"location": {"latitude": latitude, "longitude": longitude}})

    async def send_contact(self, phone_number: str = "+38760000000", name: str = "") -> int:
        """Send a card from the address book; without a name, one's own."""
        own = {} if name else {"user_id": self.id}
        contact = {"phone_number": phone_number, "first_name": name or self.user.first_name}
        return self._write({"contact": contact | own})

    async def sticker(self, emoji: str = "👍") -> int:
        """Send a sticker."""
        shape = {"type": "regular", "width": 512, "height": 512, "emoji": emoji}
        flags = {"is_animated": False, "is_video": False}
        return self._write({"sticker": self._file("stickers/sticker.webp") | shape | flags})

    async def photo(self, caption: str = "") -> int:
        """Send a picture."""
        size = self._file("photos/photo.png") | {"width": 1, "height": 1}
        return self._write({"photo": [size]} | self._caption(caption))

    async def voice(self, seconds: int = 3) -> int:
        """Send a spoken message."""
        sound = {"duration": seconds, "mime_type": "audio/ogg"}
        return self._write({"voice": self._file("voice/voice.oga") | sound})

    async def video_note(self, seconds: int = 3) -> int:
        """Send a round video."""
        return self._write({"video_note": self._file("video/note.mp4") | {"duration": seconds, "length": 240}})

    async def document(self, name: str = "paper.pdf", caption: str = "") -> int:
        """Send a file."""
        paper = self._file(f"documents/{name}") | {"file_name": name}
        return self._write({"document": paper} | self._caption(caption))

    async def forward(self, text: str, *, origin: str = "Somebody") -> int:
        """Pass on what somebody else wrote."""
        hidden = {"type": "hidden_user", "sender_user_name": origin}
        date = {"date": int(self._bot.world.clock()) - 60}
        return self._write({"text": text, "forward_origin": hidden | date})

    async def edit(self, message_id: int, text: str) -> None:
        """Change a message one wrote before."""
        message = self.chat.message(message_id)
        if message is None or message.from_bot:
            raise ValueError("there is no such message of one's own")
        name = "caption" if "photo" in message.body else "text"
        self._bot.edited(self.chat, message, {name: text})

    async def delete(self, message_id: int) -> None:
        """Delete a message for both; a bot is not told."""
        message = self.chat.message(message_id)
        if message is not None:
            self._bot.delete(self.chat, message)

    # --- buttons --------------------------------------------------------------------------

    async def tap(self, button: Button | str, *, data: str | None = None) -> Tap:
        """Tap a button: one found before, or the newest with this text. A button of a
        message that has been edited or deleted since may still be tapped, as on a phone
        that is behind; `data` sends what an old version of the bot may have put there."""
        found = button if isinstance(button, Button) else self.button(button)
        sent = data if data is not None else found.data
        if sent is None:
            raise ValueError(f"the button {found.text!r} sends nothing to the bot")
        message = self.chat.messages[found.message_id]
        return Tap(self._bot.tapped(self.chat, self.user, message, sent))

    def button(self, text: str) -> Button:
        """The newest button with this text (or the one text that contains it)."""
        buttons = [one for message in reversed(self.messages) for one in message.buttons]
        for fits in (text.__eq__, lambda shown: text in shown):
            for one in buttons:
                if fits(one.text):
                    return one
        raise LookupError(f"no button {text!r} among {[one.text for one in buttons]}")

    # --- the chat itself --------------------------------------------------------------------

    async def block(self) -> None:
        """Stop the bot."""
        self._bot.stand(self.chat, self.user, "kicked")

    async def unblock(self) -> None:
        """Let the bot in again."""
        self._bot.stand(self.chat, self.user, "member")

    async def deactivate(self) -> None:
        """Close the Telegram account; the bot is not told."""
        self.user.deactivated = True

    async def change_language(self, code: str) -> None:
        """Set the phone to another language; later updates carry it."""
        self.user.language_code = code

    async def group(self, title: str = "A group", *, supergroup: bool = False) -> Group:
        """Make a group and put the bot into it."""
        return await self._founded(title, "supergroup" if supergroup else "group")

    async def channel(self, title: str = "A channel") -> Group:
        """Make a channel and put the bot into it."""
        return await self._founded(title, "channel")

    async def _founded(self, title: str, kind: ChatType) -> Group:
        group = Group(self._bot, self._bot.open_group(title, kind))
        await group.add_bot(self)
        return group

    # --- waiting --------------------------------------------------------------------------

    async def wait_for_messages(self, n: int = 1, timeout: float = 5.0) -> list[Received]:
        """The next `n` messages of the bot that no earlier call has returned."""
        chat = self.chat
        try:
            await chat.changed.until(lambda: len(chat.from_bot) >= self._seen + n, timeout)
        except TimeoutError:
            raise AssertionError(self._instead(n, timeout)) from None
        new = chat.from_bot[self._seen : self._seen + n]
        self._seen += n
        return [Received(one) for one in new]

    def unread(self) -> list[Received]:
        """The messages no wait has returned yet; they count as returned now."""
        new = self.chat.from_bot[self._seen :]
        self._seen += len(new)
        return [Received(one) for one in new]

    async def wait_until(self, ready: Callable[[], Any], timeout: float = 5.0) -> None:
        """Wait for a condition on this chat: an edit, a deletion, a number of messages."""
        await self.chat.changed.until(lambda: bool(ready()), timeout)

    def _instead(self, n: int, timeout: float) -> str:
        came = [Received(one) for one in self.chat.from_bot[self._seen :]]
        return f"waited {timeout} s for {n} message(s), got {len(came)}: {came}"

    # --- making content -------------------------------------------------------------------

    def _write(self, content: Json) -> int:
        chat = self.chat
        if chat.standing == "kicked":
            raise RuntimeError("a person who blocked the bot must unblock it to write")
        return self._bot.receive(chat, self.user, content).id

    def _reply(self, message_id: int | None) -> Json:
        if message_id is None:
            return {}
        return {"reply_to_message": dict(self.chat.messages[message_id].body)}

    @staticmethod
    def _caption(caption: str) -> Json:
        return {"caption": caption} if caption else {}

    def _file(self, path: str) -> Json:
        shown = self._bot.keep_file(DOT, path).shown()
        shown.pop("file_path")
        return shown


class Group:
    """A group or a channel the bot was put into."""

    def __init__(self, bot: Bot, chat: Chat) -> None:
        self._bot = bot
        self.chat = chat

    @property
    def id(self) -> int:
        """The number of the chat, below zero."""
        return self.chat.id

    @property
    def left(self) -> bool:
        """The bot is no longer in it."""
        return self.chat.standing in {"left", "kicked"}

    @property
    def messages(self) -> list[Received]:
        """What the bot wrote here."""
        return [Received(one) for one in self.chat.from_bot if not one.deleted]

    async def add_bot(self, who: Person) -> None:
        """Put the bot in; in a channel a bot can only be an administrator."""
        channel = self.chat.type == "channel"
        self._bot.stand(self.chat, who.user, "administrator" if channel else "member")
        if not channel:
            self._bot.receive(self.chat, who.user, {"new_chat_members": [self._bot.user.shown()]})

    async def remove_bot(self, who: Person) -> None:
        """Throw the bot out."""
        self._bot.stand(self.chat, who.user, "kicked")

    async def say(self, who: Person, text: str, *, reply_to: int | None = None) -> int:
        """Write in the group; a bot in privacy mode hears commands, its name and replies."""
        replied = {}
        if reply_to is not None:
            replied = {"reply_to_message": dict(self.chat.messages[reply_to].body)}
        return self._bot.receive(self.chat, who.user, {"text": text} | replied).id

    async def post(self, text: str) -> int:
        """Publish in the channel."""
        return self._bot.receive(self.chat, None, {"text": text}).id

    async def edit(self, message_id: int, text: str) -> None:
        """Change what was written or published here."""
        self._bot.edited(self.chat, self.chat.messages[message_id], {"text": text})

    async def wait_until(self, ready: Callable[[], Any], timeout: float = 5.0) -> None:
        """Wait for a condition on this chat."""
        await self.chat.changed.until(lambda: bool(ready()), timeout)

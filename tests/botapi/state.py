"""What the server knows: bots, people, chats, messages, and what was called.

Everything lives in memory and is touched from one event loop only. A message is kept as
the Bot API would show it to the bot, with a few facts beside it that the bot cannot see.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .delivery import Policy, Updates
from .errors import ApiError, bad_request, forbidden
from .faults import Faults
from .limits import Flood, Limits
from .markup import find_entities
from .params import Json, Params

Clock = Callable[[], float]
ChatType = Literal["private", "group", "supergroup", "channel"]

ADMIN_RIGHTS = dict.fromkeys(
    (
        "can_be_edited",
        "is_anonymous",
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_messages",
        "can_edit_messages",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
    ),
    False,
)
"""What Telegram lists about an administrator; a channel has bots as nothing less."""


class Signal:
    """Something that happens again and again, and can be waited for without polling."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        """Wake everyone who waits, once."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait till `ready()`; TimeoutError where that takes too long."""
        async with asyncio.timeout(timeout):
            while not ready():
                await self._event.wait()


@dataclass(eq=False)
class User:
    """A person, or the bot itself."""

    id: int
    first_name: str
    is_bot: bool = False
    username: str = ""
    language_code: str = ""
    deactivated: bool = False

    def shown(self) -> Json:
        """As the Bot API shows it."""
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for name in ("username", "language_code"):
            if getattr(self, name):
                shown[name] = getattr(self, name)
        return shown


@dataclass(eq=False)
class Message:
    """One message in a chat with the bot."""

    id: int
    body: Json
    at: float
    from_bot: bool
    silent: bool = False
    deleted: bool = False
    keyboard: Json | None = None  # a keyboard of the other kind, which the bot cannot edit


@dataclass(eq=False)
class Chat:
    """One chat as one bot sees it. `standing` is the bot's own place in it."""

    id: int
    type: ChatType
    title: str = ""
    user: User | None = None
    standing: str = "member"
    messages: dict[int, Message] = field(default_factory=dict)
    from_bot: list[Message] = field(default_factory=list)
    actions: int = 0
    changed: Signal = field(default_factory=Signal)

    def shown(self) -> Json:
        """As the Bot API shows it."""
        shown: Json = {"id": self.id, "type": self.type}
        if self.user is None:
            return shown | {"title": self.title}
        shown["first_name"] = self.user.first_name
        if self.user.username:
            shown["username"] = self.user.username
        return shown

    def message(self, message_id: int) -> Message | None:
        """A message that is still there."""
        found = self.messages.get(message_id)
        return None if found is None or found.deleted else found

    def check_writable(self) -> None:
        """403 where the bot may not write here."""
        if self.user is not None:
            if self.user.deactivated:
                raise forbidden("user is deactivated")
            if self.standing == "kicked":
                raise forbidden("bot was blocked by the user")
        elif self.standing == "kicked":
            raise forbidden(f"bot was kicked from the {self.type} chat")
        elif self.standing == "left":
            raise forbidden(f"bot is not a member of the {self.type} chat")


@dataclass(eq=False)
class Query:
    """One tap on a button, waiting for the bot to answer it."""

    id: str
    chat: Chat
    at: float
    answer: Json | None = None


@dataclass(frozen=True)
class StoredFile:
    """A file the bot may fetch."""

    id: str
    unique_id: str
    path: str
    content: bytes

    def shown(self) -> Json:
        """As getFile shows it."""
        return {
            "file_id": self.id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.content),
            "file_path": self.path,
        }


@dataclass(frozen=True)
class Call:
    """One call that reached this server; `status` 0 where the line was cut."""

    method: str
    params: Mapping[str, object]
    status: int
    at: float
    unknown: frozenset[str] = frozenset()


class Bot:
    """One bot: its chats, its updates, and what it says about itself."""

    def __init__(self, world: World, token: str, user: User) -> None:
        self.world = world
        self.token = token
        self.user = user
        self.updates = Updates(world.clock, world.policy, int(world.clock()))
        self.flood = Flood(world.limits)
        self.chats: dict[int, Chat] = {}
        self.queries: dict[str, Query] = {}
        self.files: dict[str, StoredFile] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.words: dict[tuple[str, str], str] = {}  # (name | description | …, language)
        self.webhook_set_at = float("-inf")
        self._message_ids = 0

    # --- chats --------------------------------------------------------------------------

    def open_private(self, user: User) -> Chat:
        """The private chat with a person; it exists from the first time on."""
        if user.id not in self.chats:
            self.chats[user.id] = Chat(user.id, "private", user=user)
        return self.chats[user.id]

    def open_group(self, title: str, kind: ChatType) -> Chat:
        """A new group or channel, with the bot not yet in it."""
        chat_id = -self.world.next_id()
        if kind != "group":
            chat_id -= 1_000_000_000_000
        self.chats[chat_id] = Chat(chat_id, kind, title=title, standing="left")
        return self.chats[chat_id]

    def chat(self, params: Params) -> Chat:
        """The chat a call names, or 400."""
        if not params.has("chat_id"):
            raise bad_request("chat_id is empty")
        chat = self.chats.get(params.chat_id() or 0)
        if chat is not None:
            return chat
        if params.chat_id() in self.world.users:
            raise forbidden("bot can't initiate conversation with a user")
        raise bad_request("chat not found")

    # --- messages -----------------------------------------------------------------------

    def store(self, chat: Chat, sender: User | None, content: Json, *, silent: bool = False) -> Message:
        """Put a message into a chat; `sender` None is the channel speaking for itself."""
        self._message_ids += 1
        now = self.world.clock()
        body: Json = {"message_id": self._message_ids, "date": int(now), "chat": chat.shown()}
        if sender is None or chat.type == "channel":
            body["sender_chat"] = chat.shown()
        else:
            body["from"] = sender.shown()
        from_bot = sender is self.user
        message = Message(self._message_ids, body | content, now, from_bot, silent)
        chat.messages[message.id] = message
        if from_bot:
            chat.from_bot.append(message)
        chat.changed.fire()
        return message

    def receive(self, chat: Chat, sender: User | None, content: Json) -> Message:
        """A message from a person (or a channel), with its update."""
        if "text" in content and "entities" not in content:
            content = content | _entities("entities", content["text"])
        if "caption" in content and "caption_entities" not in content:
            content = content | _entities("caption_entities", content["caption"])
        message = self.store(chat, sender, content)
        kind = "channel_post" if chat.type == "channel" else "message"
        if chat.type not in {"group", "supergroup"} or self._hears(message):
            self.updates.add(kind, dict(message.body), chat.id)
        return message

    def edited(self, chat: Chat, message: Message, content: Json) -> None:
        """A person changed a message; Telegram tells the bot."""
        for stale in ("entities", "caption_entities"):
            message.body.pop(stale, None)
        if "text" in content:
            content = content | _entities("entities", content["text"])
        message.body.update(content, edit_date=int(self.world.clock()))
        chat.changed.fire()
        kind = "edited_channel_post" if chat.type == "channel" else "edited_message"
        self.updates.add(kind, dict(message.body), chat.id)

    def delete(self, chat: Chat, message: Message) -> None:
        """Take a message away on both sides."""
        message.deleted = True
        chat.changed.fire()

    def _hears(self, message: Message) -> bool:
        """Whether a bot in privacy mode is told about a message in a group."""
        body = message.body
        replied = body.get("reply_to_message", {}).get("from", {}).get("id")
        text = str(body.get("text", body.get("caption", "")))
        service = bool({"new_chat_members", "left_chat_member", "group_chat_created"} & set(body))
        named = f"@{self.user.username}".lower() in text.lower()
        return service or named or text.startswith("/") or replied == self.user.id

    def stand(self, chat: Chat, who: User, standing: str) -> None:
        """Change the bot's place in a chat (blocked, added, removed), with its update."""
        old, chat.standing = chat.standing, standing
        change = {
            "chat": chat.shown(),
            "from": who.shown(),
            "date": int(self.world.clock()),
            "old_chat_member": self._member(old),
            "new_chat_member": self._member(standing),
        }
        self.updates.add("my_chat_member", change, chat.id)
        chat.changed.fire()

    def _member(self, standing: str) -> Json:
        member: Json = {"user": self.user.shown(), "status": standing}
        if standing == "kicked":
            member["until_date"] = 0
        if standing == "administrator":
            member |= ADMIN_RIGHTS
        return member

    # --- taps and files -----------------------------------------------------------------

    def tapped(self, chat: Chat, who: User, message: Message, data: str) -> Query:
        """A person taps a button; of a deleted message only its number is left."""
        query = Query(str(self.world.next_id()), chat, self.world.clock())
        self.queries[query.id] = query
        gone = {"message_id": message.id, "date": 0, "chat": chat.shown()}
        content = {
            "id": query.id,
            "from": who.shown(),
            "message": gone if message.deleted else dict(message.body),
            "chat_instance": str(abs(chat.id) * 7919),
            "data": data,
        }
        self.updates.add("callback_query", content, who.id)
        return query

    def keep_file(self, content: bytes, path: str) -> StoredFile:
        """Store a file; its path gets a number so that names may repeat."""
        number = self.world.next_id()
        folder, _, name = path.rpartition("/")
        file_id, unique_id = f"AgACAg{number:x}{self.user.id:x}", f"AQAD{number:x}"
        kept = StoredFile(file_id, unique_id, f"{folder}/{number}_{name}", content)
        self.files[kept.id] = kept
        return kept


class World:
    """Everything one server serves."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        policy: Policy | None = None,
        clock: Clock = time.time,
        seed: int = 0,
        strict: bool = False,
        https_only: bool = False,
    ) -> None:
        """`clock` tells Unix time (a false one ages messages, queries, rates and updates);
        `strict` refuses arguments a method does not have, which Telegram overlooks;
        `https_only` refuses webhooks that only a server of one's own would accept."""
        self.limits = limits or Limits()
        self.policy = policy or Policy()
        self.clock = clock
        self.strict = strict
        self.https_only = https_only
        self.faults = Faults(seed)
        self.bots: dict[str, Bot] = {}
        self.users: dict[int, User] = {}
        self.calls: deque[Call] = deque(maxlen=20_000)
        self.counts: Counter[tuple[str, int]] = Counter()
        self.called = Signal()
        self.closing = asyncio.Event()
        # Ids go on from the clock: a product that remembers them survives a new server.
        self._last_id = int(clock())

    def next_id(self) -> int:
        """A number nobody has had."""
        self._last_id += 1
        return self._last_id

    def add_bot(self, token: str, *, name: str = "Rahnuma", username: str = "rahnuma_bot") -> Bot:
        """Register a bot; its id is the part of the token before the colon."""
        if not TOKEN.fullmatch(token):
            raise ValueError("a token looks like 123:abc")
        user = User(int(token.partition(":")[0]), name, is_bot=True, username=username)
        self.bots[token] = Bot(self, token, user)
        return self.bots[token]

    def add_user(self, name: str, *, language_code: str = "", username: str = "") -> User:
        """A person with a Telegram account, who has not met any bot yet."""
        user = User(self.next_id(), name, username=username, language_code=language_code)
        self.users[user.id] = user
        return user

    def bot(self, token: str) -> Bot:
        """The bot of a token; 404 where it is not even shaped like one, 401 where unknown."""
        if not TOKEN.fullmatch(token):
            raise ApiError(404, "Not Found")
        if token not in self.bots:
            raise ApiError(401, "Unauthorized")
        return self.bots[token]

    def record(self, call: Call) -> None:
        """Remember a call for the test to look at."""
        self.calls.append(call)
        self.counts[call.method, call.status] += 1
        self.called.fire()

    async def wait_for_call(self, method: str, n: int = 1, timeout: float = 5.0) -> list[Call]:
        """The calls of a method so far, once there are `n` of them."""

        def made() -> list[Call]:
            return [call for call in self.calls if call.method.lower() == method.lower()]

        await self.called.until(lambda: len(made()) >= n, timeout)
        return made()

    async def open(self) -> None:
        """Go on posting to the webhooks that were set before."""
        self.closing = asyncio.Event()  # perhaps on another loop than before
        for bot in self.bots.values():
            await bot.updates.set_webhook(bot.updates.webhook)

    async def close(self) -> None:
        """Stop posting to webhooks and end waiting calls; everything else is kept."""
        self.closing.set()
        for bot in self.bots.values():
            await bot.updates.close()
            for chat in bot.chats.values():
                chat.changed.fire()

    async def linger(self, seconds: float) -> None:
        """Be slow, as a fault asks, unless the server closes meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.closing.wait()


TOKEN = re.compile(r"[1-9]\d{0,15}:[A-Za-z0-9_-]{3,}")


def _entities(name: str, text: str) -> Json:
    found = find_entities(text)
    return {name: found} if found else {}

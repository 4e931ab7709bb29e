"""The local Bot API server, called by python-telegram-bot's own Bot and by plain HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyParameters,
    Update,
)
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)
from telegram.request import HTTPXRequest

from . import UNLIMITED, Limits, Person, Policy, Server, World, serve, serve_in_thread
from .client import DOT
from .delivery import SECRET_HEADER
from .limits import Flood
from .markup import find_entities, utf16_length
from .parse_html import HtmlParser
from .server import listening

pytestmark = pytest.mark.asyncio

Json = dict[str, Any]
REFUSALS = {"Connection refused", "Webhook connection closed"}
AS_JSON = {"Content-Type": "application/json"}


class FalseClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns unless it may give spans of time as such."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def clock() -> FalseClock:
    return FalseClock()


@pytest_asyncio.fixture
async def api(clock: FalseClock) -> AsyncIterator[Server]:
    """A server without rates and with a clock that stands still."""
    policy = Policy(retry_s=0.01, longest_retry_s=0.05, timeout_s=5.0)
    async with serve(World(limits=UNLIMITED, policy=policy, clock=clock)) as server:
        yield server


@pytest_asyncio.fixture
async def bot(api: Server) -> AsyncIterator[Bot]:
    async with bot_for(api) as one:
        yield one


@pytest_asyncio.fixture
async def amina(api: Server) -> Person:
    person = api.person("Amina", language_code="ar")
    await person.start()
    return person


def bot_for(api: Server, *, token: str = "") -> Bot:
    """python-telegram-bot's Bot, talking to this server."""
    return Bot(
        token or api.token,
        base_url=f"{api.url}/bot",
        base_file_url=f"{api.url}/file/bot",
        request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
        get_updates_request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
    )


async def post(api: Server, method: str, **arguments: Any) -> Json:
    """One call as JSON, without a library in between."""
    url, content = f"{api.url}/bot{api.token}/{method}", json.dumps(arguments)
    async with httpx.AsyncClient(verify=False, trust_env=False, headers=AS_JSON) as http:
        answer = await http.post(url, content=content)
    body: Json = answer.json()
    assert answer.status_code == (200 if body["ok"] else body["error_code"])
    return body


def keyboard(*titles: str, data: str = "x") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(one, callback_data=data)] for one in titles])


# --- who calls, and how -----------------------------------------------------------------


async def test_get_me_names_the_bot(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (123456, "rahnuma_bot", True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/bot123456:another-token/getMe", 401),
        ("/botnonsense/getMe", 404),
        ("/bot0:abc/getMe", 404),
        ("/bot{token}/noSuchMethod", 404),
        ("/somewhere", 404),
        ("/bot{token}/GETME", 200),
    ],
)
async def test_bad_tokens_and_methods(api: Server, path: str, status: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(api.url + path.format(token=api.token))
    assert answer.status_code == status
    assert answer.json()["ok"] is (status == 200)
    assert status == 200 or answer.json()["error_code"] == status


async def test_an_unknown_token_is_what_the_library_expects(api: Server) -> None:
    stranger = bot_for(api, token="99:nobody")
    try:
        with pytest.raises(InvalidToken):
            await stranger.initialize()
    finally:
        for request in stranger._request:
            await request.shutdown()


@pytest.mark.parametrize("kind", ["json", "data", "params", "files"])
async def test_every_way_of_passing_arguments(api: Server, amina: Person, kind: str) -> None:
    arguments: Json = {"chat_id": str(amina.id), "text": "سلام"}
    if kind == "files":
        arguments = {name: (None, value) for name, value in arguments.items()}
    url = f"{api.url}/bot{api.token}/sendMessage"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.request("POST", url, **{kind: arguments})  # type: ignore[arg-type]
    assert answer.json()["result"]["text"] == "سلام"


async def test_broken_bodies(api: Server) -> None:
    url = f"{api.url}/bot{api.token}/sendMessage"
    async with httpx.AsyncClient(trust_env=False) as http:
        for body in (b"{", b"[]"):
            answer = await http.post(url, content=body, headers=AS_JSON)
            assert answer.status_code == 400
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await http.post(url, content=b"nonsense", headers=headers)
        assert (answer.status_code, answer.json()["ok"]) == (400, False)


async def test_what_must_be_there_and_what_nobody_knows(api: Server, amina: Person) -> None:
    missing = await post(api, "answerCallbackQuery")
    assert missing["description"] == 'Bad Request: parameter "callback_query_id" is required'
    sent = await post(api, "sendMessage", chat_id=amina.id, text="x", disable_notificaton=True)
    assert sent["ok"]  # Telegram overlooks it …
    assert api.world.calls[-1].unknown == {"disable_notificaton"}  # … and a test may look
    api.world.strict = True
    assert (await post(api, "sendMessage", chat_id=amina.id, text="x", sillent=True))["ok"] is False


# --- sending ----------------------------------------------------------------------------


async def test_a_message_arrives_with_its_entities_and_flags(bot: Bot, amina: Person) -> None:
    sent = await bot.send_message(
        amina.id,
        "<b>مهم</b>: <code>1234</code> اتصل +387 33 123 456 🙂 <a href='https://iom.int/x'>IOM</a>",
        parse_mode="HTML",
        disable_notification=True,
        protect_content=True,
        reply_markup=keyboard("نعم", "لا"),
    )
    [got] = await amina.wait_for_messages(1)
    assert got.id == sent.message_id
    assert got.text == "مهم: 1234 اتصل +387 33 123 456 🙂 IOM"
    assert (got.parts("bold"), got.parts("code")) == (["مهم"], ["1234"])
    assert got.parts("phone_number") == ["+387 33 123 456"]
    assert got.parts("text_link") == ["IOM"]
    assert (got.silent, got.protected) == (True, True)
    assert [one.text for one in got.buttons] == ["نعم", "لا"]
    assert sent.parse_entities(["bold"]) == {sent.entities[0]: "مهم"}


async def test_entities_may_be_given_instead_of_markup(bot: Bot, amina: Person) -> None:
    bold = MessageEntity(MessageEntity.BOLD, 4, 3)
    sent = await bot.send_message(amina.id, "  \U0001f642ab ", entities=[bold])
    assert sent.text == "\U0001f642ab"
    assert sent.parse_entities() == {sent.entities[0]: "ab"}


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("a<b>b", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<foo>x</foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<a href='x", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a =x>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ],
)
async def test_broken_markup_is_refused(api: Server, amina: Person, html: str, complaint: str) -> None:
    answer = await post(api, "sendMessage", chat_id=amina.id, text=html, parse_mode="HTML")
    assert answer["description"] == f"Bad Request: can't parse entities: {complaint}"


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("&lt;b&gt; &amp; &nbsp; &#1593;&#x639;", "<b> & &nbsp; عع", []),
        ("<b></b>x", "x", []),
        ("<i>a<b>b</b></i>", "ab", [("italic", 0, 2), ("bold", 1, 1)]),
        ("🙂<u>x</u>", "🙂x", [("underline", 2, 1)]),
        ('<a href="tel:124">124</a>', "124", []),
        ('<a href="mailto:a@b.ba">x</a>', "x", []),
        ('<a href="tg://user?id=5">x</a>', "x", [("text_mention", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("<span class='tg-spoiler'>x</span>", "x", [("spoiler", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<b>x</>", "x", [("bold", 0, 1)]),
    ],
)
async def test_markup_that_is_read(html: str, text: str, entities: list[Any]) -> None:
    got, found = HtmlParser(html).parse()
    assert got == text
    assert [(one["type"], one["offset"], one["length"]) for one in found] == entities


async def test_characters_that_telegram_drops_or_keeps(api: Server, amina: Person) -> None:
    async def shown(text: str) -> str:
        sent = await post(api, "sendMessage", chat_id=amina.id, text=text)
        return str(sent["result"]["text"])

    assert await shown("\u2068124\u2069 \u2067x\u2069") == "\u2068124\u2069 \u2067x\u2069"
    assert await shown("\u202ba\u202c\u202eb\r\n c\td ") == "ab\n c d"
    assert await shown("\u200f\u200f\u200fسلام") == "\u200c\u200c\u200fسلام"
    bold = {"type": "bold", "offset": 2, "length": 2}
    sent = await post(api, "sendMessage", chat_id=amina.id, text="\u202b bc d", entities=[bold])
    assert sent["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"text": ""}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": " \u200f\u2800\n"}, "text must be non-empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ({"text": "\ud800"}, "text must be encoded in UTF-8"),
        ({"text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "🙂" * 2049}, "message is too long"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": 42}, "chat not found"),
        ({"text": "x", "chat_id": "somebody"}, "chat not found"),
        ({"text": "x", "reply_parameters": {"message_id": 9}}, "message to be replied not found"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"text": "x", "reply_markup": "[]"}, "object expected as reply markup"),
        (
            {"text": "🙂", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 2",
        ),
    ],
)
async def test_bad_messages(api: Server, amina: Person, arguments: Json, complaint: str) -> None:
    answer = await post(api, "sendMessage", **({"chat_id": amina.id} | arguments))
    assert answer["error_code"] == 400
    assert answer["description"] == f"Bad Request: {complaint}"
    assert amina.messages == []


async def test_length_is_counted_after_the_markup(bot: Bot, amina: Person) -> None:
    sent = await bot.send_message(amina.id, "<b>" + "🙂" * 2048 + "</b>", parse_mode="HTML")
    assert utf16_length(sent.text or "") == 4096


@pytest.mark.parametrize(
    ("button", "complaint"),
    [
        ({"text": "x", "callback_data": "ع" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": " ", "callback_data": "x"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"callback_data": "x"},
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        (
            {"text": "x", "url": "tel:124"},
            "inline keyboard button URL 'tel:124' is invalid: Wrong HTTP URL",
        ),
    ],
)
async def test_bad_buttons(api: Server, amina: Person, button: Json, complaint: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = await post(api, "sendMessage", chat_id=amina.id, text="x", reply_markup=markup)
    assert answer["description"] == f"Bad Request: {complaint}"


async def test_good_buttons(bot: Bot, amina: Person) -> None:
    row = [
        InlineKeyboardButton("داده", callback_data="ع" * 32),
        InlineKeyboardButton("پیوند", url="https://iom.int"),
        InlineKeyboardButton("کد", copy_text=CopyTextButton("1234")),
    ]
    await bot.send_message(amina.id, "x", reply_markup=InlineKeyboardMarkup([row]))
    [got] = await amina.wait_for_messages(1)
    assert [(one.data, one.url, one.copy_text) for one in got.buttons] == [
        ("ع" * 32, None, None),
        (None, "https://iom.int", None),
        (None, None, "1234"),
    ]


async def test_a_photo_is_sent_fetched_and_checked(bot: Bot, amina: Person) -> None:
    sent = await bot.send_photo(amina.id, DOT, caption="<i>x</i>", parse_mode="HTML")
    assert (sent.caption, sent.photo[0].width) == ("x", 1)
    file = await bot.get_file(sent.photo[0].file_id)
    assert bytes(await file.download_as_bytearray()) == DOT
    again = await bot.send_photo(amina.id, sent.photo[0].file_id)
    assert again.photo[0].file_unique_id == sent.photo[0].file_unique_id
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(amina.id, b"not a picture")
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_photo(amina.id, DOT, caption="x" * 1025)
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_photo(amina.id, "nothing")
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nothing")


async def test_a_reply_shows_what_it_answers(bot: Bot, amina: Person) -> None:
    number = await amina.say("where?")
    sent = await bot.send_message(amina.id, "here", reply_parameters=ReplyParameters(number))
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "where?"
    lenient = ReplyParameters(999, allow_sending_without_reply=True)
    assert (await bot.send_message(amina.id, "x", reply_parameters=lenient)).text == "x"


async def test_chat_actions(bot: Bot, amina: Person) -> None:
    assert await bot.send_chat_action(amina.id, "typing")
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(amina.id, "dancing")
    assert amina.chat.actions == 1


async def test_who_can_be_written_to(api: Server, bot: Bot, amina: Person) -> None:
    stranger = api.person("Zahra")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(stranger.id, "x")
    await amina.block()
    with pytest.raises(Forbidden) as caught:
        await bot.send_message(amina.id, "x")
    assert caught.value.message == "Forbidden: bot was blocked by the user"
    with pytest.raises(RuntimeError):
        await amina.say("hello?")
    await amina.unblock()
    await bot.send_message(amina.id, "x")
    await amina.deactivate()
    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(amina.id, "x")


# --- editing, deleting, taps ------------------------------------------------------------


async def test_editing(bot: Bot, amina: Person) -> None:
    sent = await bot.send_message(amina.id, "one", reply_markup=keyboard("a"))
    [got] = await amina.wait_for_messages(1)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("one", amina.id, sent.message_id, reply_markup=keyboard("a"))
    await bot.edit_message_text("two", amina.id, sent.message_id)
    assert (got.text, got.buttons, got.edited) == ("two", [], True)
    await bot.edit_message_reply_markup(amina.id, sent.message_id, reply_markup=keyboard("b"))
    assert [one.text for one in got.buttons] == ["b"]
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", amina.id, 999)
    own = await amina.say("mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", amina.id, own)


async def test_deleting_within_two_days(bot: Bot, amina: Person, clock: FalseClock) -> None:
    own = await amina.say("my number is …")
    sent = await bot.send_message(amina.id, "x")
    assert await bot.delete_message(amina.id, own)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(amina.id, own)
    clock.now += 48 * 3600 + 1
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(amina.id, sent.message_id)


async def test_deleting_many(bot: Bot, amina: Person, clock: FalseClock) -> None:
    numbers = [(await bot.send_message(amina.id, str(n))).message_id for n in range(3)]
    assert await bot.delete_messages(amina.id, [*numbers, 998, 999])
    assert (amina.messages, len(amina.everything)) == ([], 3)
    old = await bot.send_message(amina.id, "old")
    clock.now += 48 * 3600 + 1
    new = await bot.send_message(amina.id, "new")
    with pytest.raises(BadRequest):
        await bot.delete_messages(amina.id, [new.message_id, old.message_id])
    assert amina.texts == ["old", "new"]
    with pytest.raises(BadRequest, match="Too many message identifiers"):
        await bot.delete_messages(amina.id, list(range(101)))


async def test_a_tap_is_answered_once_and_in_time(bot: Bot, amina: Person, clock: FalseClock) -> None:
    await bot.send_message(amina.id, "?", reply_markup=keyboard("yes", data="y1"))
    tap = await amina.tap("yes")
    [start, update] = await bot.get_updates()
    assert start.message is not None
    query = update.callback_query
    assert query is not None
    assert query.message is not None
    assert (query.data, query.message.chat.id) == ("y1", amina.id)
    await bot.answer_callback_query(query.id, "done", show_alert=True)
    assert await tap.wait_answered() == {"text": "done", "show_alert": True}
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
        await bot.answer_callback_query(query.id)
    await amina.tap("yes")
    clock.now += 31
    [*_, late] = await bot.get_updates()
    assert late.callback_query is not None
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(late.callback_query.id)


async def test_a_tap_on_what_is_gone(bot: Bot, amina: Person) -> None:
    sent = await bot.send_message(amina.id, "?", reply_markup=keyboard("yes"))
    button = amina.button("yes")
    await bot.delete_message(amina.id, sent.message_id)
    await amina.tap(button, data="from-an-older-version")
    [*_, update] = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.message is not None
    assert update.callback_query.message.is_accessible is False
    assert update.callback_query.data == "from-an-older-version"
    with pytest.raises(LookupError):
        amina.button("yes")


# --- updates, fetched -------------------------------------------------------------------

Act = Callable[[Person], Any]


@pytest.mark.parametrize(
    ("act", "check"),
    [
        (lambda p: p.say("مرحبا"), lambda u: u.message.text == "مرحبا"),
        (lambda p: p.start("site42"), lambda u: u.message.entities[0].type == "bot_command"),
        (lambda p: p.share_location(44.8, 15.9), lambda u: u.message.location.latitude == 44.8),
        (lambda p: p.send_contact(), lambda u: u.message.contact.user_id == u.message.from_user.id),
        (lambda p: p.send_contact("+9370", "Ali"), lambda u: u.message.contact.user_id is None),
        (lambda p: p.sticker("🙏"), lambda u: u.message.sticker.emoji == "🙏"),
        (lambda p: p.photo("see"), lambda u: u.message.photo and u.message.caption == "see"),
        (lambda p: p.voice(7), lambda u: u.message.voice.duration.seconds == 7),
        (lambda p: p.video_note(), lambda u: u.message.video_note.length == 240),
        (lambda p: p.document(), lambda u: u.message.document.file_name == "paper.pdf"),
        (lambda p: p.forward("x"), lambda u: u.message.forward_origin.type == "hidden_user"),
        (lambda p: p.block(), lambda u: u.my_chat_member.new_chat_member.status == "kicked"),
    ],
)
async def test_everything_a_person_can_do_arrives(
    api: Server, bot: Bot, act: Act, check: Callable[[Update], bool]
) -> None:
    await act(api.person("Amina", language_code="ps"))
    [update] = await bot.get_updates()
    assert check(update)
    assert update.effective_user is not None
    assert update.effective_user.language_code == "ps"


async def test_edits_replies_and_a_new_language(bot: Bot, amina: Person) -> None:
    number = await amina.say("helo")
    await amina.edit(number, "hello")
    await amina.change_language("ur")
    await amina.say("and?", reply_to=number)
    [_, _, edited, reply] = await bot.get_updates()
    assert edited.edited_message is not None
    assert (edited.edited_message.text, edited.edited_message.message_id) == ("hello", number)
    assert reply.message is not None
    assert reply.message.reply_to_message is not None
    assert reply.message.from_user is not None
    assert reply.message.from_user.language_code == "ur"


async def test_groups_and_channels(bot: Bot, amina: Person) -> None:
    group = await amina.group("Bihać")
    await group.say(amina, "nobody asked the bot")
    await group.say(amina, "/help")
    channel = await amina.channel("News")
    await channel.post("news")
    [_, added, joined, command, _, news] = await bot.get_updates()
    assert added.my_chat_member is not None
    assert added.my_chat_member.new_chat_member.status == "member"
    assert joined.message is not None
    assert joined.message.new_chat_members
    assert command.message is not None
    assert (command.message.text, command.message.chat.type) == ("/help", "group")
    assert news.channel_post is not None
    assert news.channel_post.sender_chat is not None
    await bot.send_message(group.id, "this is private")
    assert await bot.leave_chat(group.id)
    assert group.left
    with pytest.raises(Forbidden, match="bot is not a member of the group chat"):
        await bot.send_message(group.id, "x")
    with pytest.raises(BadRequest, match="can't be changed in private chats"):
        await bot.leave_chat(amina.id)


async def test_updates_are_kept_until_confirmed(bot: Bot, amina: Person) -> None:
    for n in range(4):
        await amina.say(str(n))
    first = await bot.get_updates(limit=2)
    assert len(first) == 2
    assert await bot.get_updates(limit=2) == first
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [one.message.text for one in rest if one.message] == ["1", "2", "3"]
    [last] = await bot.get_updates(offset=-1)
    assert last.message is not None
    assert last.message.text == "3"
    assert await bot.get_updates(offset=last.update_id + 1) == ()
    assert await bot.get_updates(offset=-5) == ()


async def test_updates_are_forgotten_after_a_day(bot: Bot, amina: Person, clock: FalseClock) -> None:
    clock.now += 24 * 3600 - 1
    await amina.say("later")
    clock.now += 2
    [update] = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "later"


async def test_only_the_kinds_asked_for(bot: Bot, amina: Person) -> None:
    await bot.get_updates(offset=-1, allowed_updates=["callback_query", "message"])
    await amina.block()
    await amina.unblock()
    await amina.say("x")
    updates = await bot.get_updates()
    assert [one.message.text for one in updates if one.message] == ["/start", "x"]
    info = await bot.get_webhook_info()
    assert info.allowed_updates == ("callback_query", "message")


async def test_a_long_poll_ends_when_something_comes(api: Server, bot: Bot, amina: Person) -> None:
    [update] = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=update.update_id + 1, timeout=30))
    await until(lambda: api.bot.updates.polling)
    await amina.say("x")
    [update] = await poll
    assert update.message is not None


@pytest.mark.usefixtures("amina")
async def test_a_second_poll_ends_the_first(api: Server, bot: Bot) -> None:
    [update] = await bot.get_updates()
    after = update.update_id + 1
    poll = asyncio.create_task(bot.get_updates(offset=after, timeout=30))
    await until(lambda: api.bot.updates.polling)
    other = asyncio.create_task(post(api, "getUpdates", offset=after, timeout=30))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await poll
    assert api.bot.updates.polling
    await post(api, "setWebhook", url="http://127.0.0.1:1/x")
    assert (await other)["description"] == "Conflict: terminated by setWebhook request"
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()


async def until(ready: Callable[[], bool]) -> None:
    """Let everything else run until a condition holds that nobody announces."""
    async with asyncio.timeout(5):
        while not ready():
            await asyncio.sleep(0)


# --- updates, posted --------------------------------------------------------------------


class Receiver:
    """A bot's webhook: remembers what came, answers as told."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: list[Json] = []
        self.secrets: list[str | None] = []
        self.statuses: list[int] = []
        self.reply: Json | None = None
        self.busy = self.most_busy = 0
        self.open = asyncio.Event()
        self.open.set()
        self.came = asyncio.Condition()
        self.app = Starlette(routes=[Route("/hook", self.hook, methods=["POST"])])

    async def hook(self, request: Request) -> Response:
        update = await request.json()
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        async with self.came:
            self.updates.append(update)
            self.secrets.append(request.headers.get(SECRET_HEADER))
            self.came.notify_all()
        await self.open.wait()
        self.busy -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        if self.reply is not None and status == 200:
            return JSONResponse(self.reply)
        return Response(status_code=status)

    async def wait_for(self, n: int) -> list[Json]:
        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: len(self.updates) >= n)
        return self.updates

    @property
    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.updates]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    async with listening(one.app) as port:
        one.url = f"http://127.0.0.1:{port}/hook"
        yield one


async def set_hook(api: Server, receiver: Receiver, **more: Any) -> None:
    assert (await post(api, "setWebhook", url=receiver.url, **more))["ok"]


async def test_a_webhook_gets_the_secret_and_what_waited(api: Server, receiver: Receiver, amina: Person) -> None:
    await set_hook(api, receiver, secret_token="s3cret_-")
    await amina.say("now")
    await receiver.wait_for(2)
    assert (receiver.texts, set(receiver.secrets)) == (["/start", "now"], {"s3cret_-"})


async def test_a_webhook_that_fails_is_tried_again_in_order(
    api: Server, bot: Bot, receiver: Receiver, amina: Person
) -> None:
    receiver.statuses = [500, 503, 302, 200]
    await set_hook(api, receiver)
    await amina.say("after")
    await receiver.wait_for(5)
    assert receiver.texts == ["/start"] * 4 + ["after"]
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 302 Found"
    assert info.url == receiver.url


async def test_a_webhook_that_is_away_or_slow_gets_it_later(api: Server, bot: Bot, amina: Person) -> None:
    receiver = Receiver()
    async with listening(receiver.app) as port:
        receiver.url = f"http://127.0.0.1:{port}/hook"
        await set_hook(api, receiver)
        await receiver.wait_for(1)
    await amina.say("nobody there")
    await until(lambda: len(api.bot.updates) == 1 and api.bot.updates.webhook_error is not None)
    assert (await bot.get_webhook_info()).last_error_message in REFUSALS
    receiver.open.clear()
    async with listening(receiver.app, port=port):
        await receiver.wait_for(2)
        receiver.open.set()
        await until(lambda: len(api.bot.updates) == 0)
    assert receiver.texts == ["/start", "nobody there"]


async def test_a_failing_chat_does_not_hold_up_the_others(api: Server, receiver: Receiver, amina: Person) -> None:
    receiver.open.clear()
    await set_hook(api, receiver, max_connections=2)
    await receiver.wait_for(1)
    people = [api.person(f"P{n}") for n in range(3)]
    for person in people:
        await person.say("x")
    await amina.say("second")
    await receiver.wait_for(2)
    receiver.open.set()
    await receiver.wait_for(5)
    assert receiver.most_busy == 2
    assert receiver.texts.index("/start") < receiver.texts.index("second")


async def test_no_updates_are_lost_between_the_two_ways(
    api: Server, bot: Bot, receiver: Receiver, amina: Person
) -> None:
    receiver.statuses = [500] * 1000
    await set_hook(api, receiver)
    await receiver.wait_for(2)
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.delete_webhook()
    [update] = await bot.get_updates()
    assert update.message is not None
    assert (await bot.get_webhook_info()).url == ""
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()
    await amina.say("x")
    receiver.statuses = []
    receiver.updates.clear()
    await set_hook(api, receiver, drop_pending_updates=True)
    await amina.say("y")
    await receiver.wait_for(1)
    assert receiver.texts == ["y"]


async def test_the_answer_to_a_webhook_may_be_a_call(api: Server, receiver: Receiver, amina: Person) -> None:
    receiver.reply = {"method": "sendMessage", "chat_id": amina.id, "text": "at once"}
    await set_hook(api, receiver)
    [got] = await amina.wait_for_messages(1)
    assert got.text == "at once"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"secret_token": "x" * 257}, "secret token is too long"),
        ({"url": "ftp://example.org"}, "invalid webhook URL specified"),
        ({"url": "http://:x"}, "invalid webhook URL specified"),
        ({"allowed_updates": "{"}, "can't parse allowed_updates JSON object"),
    ],
)
async def test_bad_webhooks(api: Server, arguments: Json, complaint: str) -> None:
    answer = await post(api, "setWebhook", **({"url": "https://example.org/x"} | arguments))
    assert answer["description"] == f"Bad Request: {complaint}"
    assert api.bot.updates.webhook is None


async def test_only_a_server_of_ones_own_takes_plain_http(api: Server) -> None:
    api.world.https_only = True
    for url in ("http://example.org/x", "https://example.org:9000/x"):
        assert "bad webhook" in (await post(api, "setWebhook", url=url))["description"]


async def test_a_telegram_that_was_away_keeps_everything() -> None:
    world = World(limits=UNLIMITED)
    receiver = Receiver()
    async with listening(receiver.app) as port:
        receiver.url = f"http://127.0.0.1:{port}/hook"
        async with serve(world) as api:
            await set_hook(api, receiver)
            person, used = api.person(), api.port
        await person.say("while it was away")
        assert receiver.updates == []
        async with serve(world, port=used):
            await receiver.wait_for(1)
    assert receiver.texts == ["while it was away"]


# --- rates ------------------------------------------------------------------------------


async def test_too_many_messages_in_one_chat(clock: FalseClock) -> None:
    async with serve(World(clock=clock)) as api, bot_for(api) as bot:
        amina, zahra = api.person(), api.person()
        for person in (amina, zahra):
            await person.start()
        for n in range(3):
            await bot.send_message(amina.id, str(n))
        with pytest.raises(RetryAfter) as caught:
            await bot.send_message(amina.id, "4")
        assert caught.value.retry_after == timedelta(seconds=1)
        await bot.send_message(zahra.id, "others go on")
        clock.now += 1
        await bot.send_message(amina.id, "4")
        raw = await post(api, "sendMessage", chat_id=amina.id, text="5")
        assert raw == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        }
        assert api.bot.flood.refused == 2
        assert api.world.counts["sendMessage", 429] == 2


async def test_rates_overall_and_in_groups() -> None:
    flood = Flood(Limits())
    for chat in range(1, 31):
        flood.admit(chat, 0.0)
    with pytest.raises(Exception, match="retry after 1"):
        flood.admit(31, 0.9)
    flood.admit(31, 1.0)
    flood = Flood(Limits(chat_burst=100))
    for _ in range(20):
        flood.admit(-5, 0.0)
    with pytest.raises(Exception, match="retry after 30"):
        flood.admit(-5, 30.0)


async def test_a_sender_who_waits_as_told_is_never_refused() -> None:
    flood, now = Flood(Limits()), 0.1
    for _ in range(3):
        flood.admit(1, now)
    for _ in range(1000):
        now += 1.0
        flood.admit(1, now)


async def test_setting_the_webhook_twice_in_a_second(clock: FalseClock) -> None:
    async with serve(World(clock=clock)) as api:
        assert (await post(api, "setWebhook", url="http://127.0.0.1:1/"))["ok"]
        again = await post(api, "setWebhook", url="http://127.0.0.1:1/")
        assert again["parameters"] == {"retry_after": 1}


# --- faults -----------------------------------------------------------------------------


async def test_scripted_errors(api: Server, bot: Bot, amina: Person) -> None:
    flood = api.faults.flood(retry_after=7, method="sendMessage", times=2)
    for _ in range(2):
        with pytest.raises(RetryAfter) as caught:
            await bot.send_message(amina.id, "x")
        assert caught.value.retry_after == timedelta(seconds=7)
    await bot.send_message(amina.id, "x")
    assert (flood.fired, flood.happened.is_set()) == (2, True)
    api.faults.error(status=502, description="Bad Gateway", method="sendMessage")
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(amina.id, "y")
    api.faults.error(status=500, after=True)
    with pytest.raises(NetworkError):
        await bot.send_message(amina.id, "z")
    assert amina.texts == ["x", "z"]


@pytest.mark.parametrize("after", [False, True])
async def test_a_cut_line_before_and_after_the_effect(api: Server, bot: Bot, amina: Person, after: bool) -> None:
    api.faults.cut(method="sendMessage", after=after)
    with pytest.raises(NetworkError):
        await bot.send_message(amina.id, "x")
    assert amina.texts == (["x"] if after else [])
    assert api.world.counts["sendMessage", 0] == 1
    await bot.send_message(amina.id, "y")


@pytest.mark.parametrize("after", [False, True])
async def test_a_slow_answer(api: Server, amina: Person, after: bool) -> None:
    fault = api.faults.slow(0.3, method="sendMessage", after=after)
    call = asyncio.create_task(post(api, "sendMessage", chat_id=amina.id, text="x"))
    await asyncio.wait_for(fault.happened.wait(), 5)
    await api.bot.chats[amina.id].changed.until(lambda: bool(amina.texts) is after, 5)
    assert call.done() is False
    assert (await call)["ok"]
    assert amina.texts == ["x"]


async def test_faults_by_chat_chance_and_turn(api: Server, amina: Person) -> None:
    zahra = api.person("Zahra")
    await zahra.start()
    api.faults.error(chat_id=zahra.id, skip=1, times=None)

    async def ok(person: Person) -> bool:
        return bool((await post(api, "sendMessage", chat_id=person.id, text="x"))["ok"])

    assert [await ok(amina), await ok(zahra), await ok(zahra)] == [True, True, False]
    api.faults.clear()
    chance = api.faults.error(probability=0.5, times=None)
    answers = [await ok(amina) for _ in range(40)]
    assert 10 < answers.count(False) < 30
    assert chance.fired == answers.count(False)
    chance.cancel()
    outage = api.faults.outage()
    with pytest.raises(httpx.TransportError):
        await ok(amina)
    outage.cancel()
    api.faults.nonsense()
    with pytest.raises(ValueError, match="Expecting value"):
        await ok(amina)
    assert await ok(amina)


# --- the bot's own words ----------------------------------------------------------------


async def test_commands_by_language_and_scope(bot: Bot) -> None:
    menu, منو = [BotCommand("menu", "Menu")], [BotCommand("menu", "منو")]
    await bot.set_my_commands(menu)
    await bot.set_my_commands(منو, language_code="fa", scope=BotCommandScopeAllPrivateChats())
    assert await bot.get_my_commands() == tuple(menu)
    assert await bot.get_my_commands(language_code="fa") == ()
    private = BotCommandScopeAllPrivateChats()
    assert await bot.get_my_commands(language_code="fa", scope=private) == tuple(منو)
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    for command, complaint in (
        (BotCommand("Menu", "x"), "Bot_command_invalid"),
        (BotCommand("menu", "x" * 257), "Bot_command_description_invalid"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){complaint}"):
            await bot.set_my_commands([command])
    with pytest.raises(BadRequest, match="Invalid language code specified"):
        await bot.set_my_commands(menu, language_code="fas")


async def test_descriptions_and_name(bot: Bot) -> None:
    await bot.set_my_description("general")
    await bot.set_my_description("عام", language_code="ar")
    assert (await bot.get_my_description("ar")).description == "عام"
    assert (await bot.get_my_description("ur")).description == "general"
    await bot.set_my_short_description("short")
    assert (await bot.get_my_short_description()).short_description == "short"
    assert (await bot.get_my_name()).name == "Rahnuma"
    await bot.set_my_name("رهنما", language_code="fa")
    assert (await bot.get_my_name("fa")).name == "رهنما"
    with pytest.raises(BadRequest, match="too long"):
        await bot.set_my_short_description("x" * 121)


async def test_get_chat(bot: Bot, amina: Person) -> None:
    chat = await bot.get_chat(amina.id)
    assert (chat.type, chat.first_name) == ("private", "Amina")


# --- finding entities -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "covered"),
    [
        ("see https://iom.int/a?b=c.", "url", "https://iom.int/a?b=c"),
        ("\u2068iom.int\u2069 here", "url", "iom.int"),
        ("write a.b@iom.int now", "email", "a.b@iom.int"),
        ("/start@rahnuma_bot go", "bot_command", "/start@rahnuma_bot"),
        ("🙂 اتصل \u2068+387 61 123-456\u2069", "phone_number", "+387 61 123-456"),
        ("ask @rahnuma_bot", "mention", "@rahnuma_bot"),
        ("#help", "hashtag", "#help"),
    ],
)
async def test_entities_that_nobody_marked(text: str, kind: str, covered: str) -> None:
    [found] = find_entities(text)
    raw = text.encode("utf-16-le")
    begin, end = found["offset"], found["offset"] + found["length"]
    assert (found["type"], raw[2 * begin : 2 * end].decode("utf-16-le")) == (kind, covered)


async def test_no_entities_in_plain_words() -> None:
    assert find_entities("112 and 3/4 or e.g. this, 2022-01-01; و/أو") == []


# --- the client, the thread, the page ---------------------------------------------------


async def test_waiting_says_what_came_instead(bot: Bot, amina: Person) -> None:
    await bot.send_message(amina.id, "one")
    with pytest.raises(AssertionError, match=r"2 message\(s\), got 1: .*'one'"):
        await amina.wait_for_messages(2, timeout=0.05)
    await bot.send_message(amina.id, "two")
    assert [one.text for one in await amina.wait_for_messages(2)] == ["one", "two"]
    await bot.send_message(amina.id, "three")
    assert [one.text for one in amina.unread()] == ["three"]
    assert amina.unread() == []


async def test_waiting_for_a_call_and_an_edit(api: Server, bot: Bot, amina: Person) -> None:
    sent = await bot.send_message(amina.id, "one")
    [got] = await amina.wait_for_messages()
    edit = asyncio.create_task(bot.edit_message_text("two", amina.id, sent.message_id))
    await amina.wait_until(lambda: got.edited)
    await edit
    [call] = await api.wait_for_call("editMessageText")
    assert (call.status, call.params["text"]) == (200, "two")


async def test_the_control_calls(api: Server) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=api.url) as http:
        assert "stand-in for Telegram" in (await http.get("/")).text
        made = await http.post("/_control/people", json={"name": "Ali", "language_code": "fa"})
        path = f"/_control/people/{made.json()['id']}"
        said = await http.post(f"{path}/say", json={"text": "سلام"})
        assert (said.status_code, said.json()["message_id"]) == (200, 1)
        markup = {"inline_keyboard": [[{"text": "بله", "callback_data": "y"}]]}
        chat_id = made.json()["id"]
        await post(api, "sendMessage", chat_id=chat_id, text="?", reply_markup=markup)
        shown = (await http.get(f"{path}/messages")).json()["messages"]
        assert [(one["text"], one["from_bot"]) for one in shown] == [("سلام", False), ("?", True)]
        assert (await http.post(f"{path}/tap", json={"button": "بله"})).status_code == 200
        assert len(api.bot.queries) == 1
        assert (await http.post(f"{path}/tap", json={"button": "نه"})).status_code == 400
        assert (await http.post(f"{path}/_write", json={})).status_code == 404
        fault = {"kind": "error", "status": 502, "times": 1}
        assert (await http.post("/_control/faults", json=fault)).status_code == 201
        assert (await post(api, "getMe"))["error_code"] == 502
        bad = await http.post("/_control/faults", json={"kind": "flu"})
        assert (bad.status_code, bad.json()["error"]) == (400, "no such kind of fault: flu")
        assert (await http.delete("/_control/faults")).status_code == 204
        assert (await http.get("/_control/calls")).json()["getMe 502"] == 1


async def test_fifty_messages_a_second_are_no_trouble(api: Server, receiver: Receiver) -> None:
    await set_hook(api, receiver)
    people = [api.person() for _ in range(200)]
    began = time.perf_counter()
    for person in people:
        await person.say("x")
    await receiver.wait_for(200)
    assert time.perf_counter() - began < 4


async def test_a_server_in_a_thread() -> None:
    def script() -> str:
        with serve_in_thread() as api:
            person = api.person()
            api.run(person.say("hello"))
            url = f"{api.url}/bot{api.token}/sendMessage"
            answer = httpx.post(url, json={"chat_id": person.id, "text": "hi"}, trust_env=False)
            assert answer.json()["ok"]
            [got] = api.run(person.wait_for_messages(1))
            return got.text

    assert await asyncio.to_thread(script) == "hi"

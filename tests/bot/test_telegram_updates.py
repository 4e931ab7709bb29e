"""One built update per kind, and what the gateway makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.incoming import Incoming, Sent
from bot.people import TELEGRAM, Address
from bot.telegram_updates import KNOWN_COMMANDS, read_update
from tests.factories import CHAT, LANGUAGES, PLACE, chat, membership, message, parsed, tap, text_update, update, user

FILE = {"file_id": "f", "file_unique_id": "u"}
PHOTO = [{**FILE, "width": 1, "height": 1}]
HIDDEN_USER = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
PLACE_ON_EARTH = {"latitude": 44.812345678, "longitude": 15.8701}


def read(data: dict[str, Any]) -> Incoming | None:
    arrived = read_update(parsed(data), LANGUAGES)
    return arrived.incoming if arrived else None


def sent(**fields: Any) -> Incoming | None:
    return read(update(message=message(**fields)))


def incoming(kind: Sent, text: str = "", **fields: Any) -> Incoming:
    return Incoming(kind, text=text, message_id=PLACE, **fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "salam"}, incoming(Sent.TEXT, "salam")),
        ({"text": "چطور"}, incoming(Sent.TEXT, "چطور")),
        ({"text": "salam", "forward_origin": HIDDEN_USER}, incoming(Sent.FORWARD, "salam")),
        ({"voice": {**FILE, "duration": 3}}, incoming(Sent.VOICE)),
        ({"audio": {**FILE, "duration": 3}}, incoming(Sent.VOICE)),
        ({"video": {**FILE, "width": 1, "height": 1, "duration": 3}}, incoming(Sent.VIDEO)),
        ({"video_note": {**FILE, "length": 1, "duration": 3}}, incoming(Sent.VIDEO)),
        (
            {"animation": {**FILE, "width": 1, "height": 1, "duration": 3}, "document": FILE},
            incoming(Sent.VIDEO),
        ),
        ({"photo": PHOTO}, incoming(Sent.PHOTO)),
        ({"photo": PHOTO, "caption": "is this a mine?"}, incoming(Sent.PHOTO, "is this a mine?")),
        (
            {"sticker": {**FILE, "width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}},
            incoming(Sent.STICKER),
        ),
        ({"contact": {"phone_number": "+1", "first_name": "A"}}, incoming(Sent.CONTACT)),
        ({"document": FILE}, incoming(Sent.FILE)),
        ({"document": FILE, "caption": "my paper"}, incoming(Sent.FILE, "my paper")),
        ({"dice": {"value": 3, "emoji": "🎲"}}, incoming(Sent.OTHER)),
        ({"location": PLACE_ON_EARTH}, incoming(Sent.LOCATION, data="44.81235, 15.87010")),
        (
            {"location": PLACE_ON_EARTH, "venue": {"location": PLACE_ON_EARTH, "title": "Lipa", "address": "x"}},
            incoming(Sent.LOCATION, data="44.81235, 15.87010"),
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_message(fields: dict[str, Any], expected: Incoming) -> None:
    assert sent(**fields) == expected


@pytest.mark.parametrize(
    ("text", "data", "argument"),
    [
        ("/start", "start", ""),
        ("/start lipa", "start", "lipa"),
        ("/start  lipa ", "start", "lipa"),
        ("/MENU", "menu", ""),
        ("/language@rahnuma_bot", "language", ""),
        ("/help me", "help", "me"),
        ("/privacy", "privacy", ""),
        ("/forget", "forget", ""),
    ],
)
def test_a_command(text: str, data: str, argument: str) -> None:
    assert sent(text=text) == incoming(Sent.COMMAND, argument, data=data)


def test_every_command_is_known_by_its_name() -> None:
    for name in KNOWN_COMMANDS:
        assert sent(text=f"/{name}") == incoming(Sent.COMMAND, data=name)


@pytest.mark.parametrize("text", ["/", "//", "/restart", "/کمک", "/mines_found", '/start{"a": 1}', "help /start"])
def test_anything_else_with_a_slash_is_words_and_never_a_command(text: str) -> None:
    assert sent(text=text) == incoming(Sent.TEXT, text)


def test_an_edited_message_is_said_to_be_edited() -> None:
    assert read(update(edited_message=message(text="sorry"))) == incoming(Sent.EDITED, "sorry")


def test_an_edited_command_is_a_command() -> None:
    assert read(update(edited_message=message(text="/menu"))) == incoming(Sent.COMMAND, data="menu")


def test_a_tap_on_a_button() -> None:
    expected = Incoming(Sent.BUTTON, data="t:asylum_start", message_id=PLACE, callback_id="tap-9")
    assert read(update(callback_query=tap("t:asylum_start"))) == expected


def test_a_tap_on_a_message_that_telegram_no_longer_shows() -> None:
    gone = {"chat": chat(), "message_id": PLACE, "date": 0}
    expected = Incoming(Sent.BUTTON, data="m:", message_id=PLACE, callback_id="tap-9")
    assert read(update(callback_query=tap("m:", message=gone))) == expected


def test_a_tap_without_data_is_an_old_button() -> None:
    data = tap()
    del data["data"]
    data["game_short_name"] = "chess"
    assert read(update(callback_query=data)) == Incoming(Sent.BUTTON, message_id=PLACE, callback_id="tap-9")


@pytest.mark.parametrize(
    ("status", "kind"), [("kicked", Sent.BLOCKED), ("left", Sent.BLOCKED), ("member", Sent.UNBLOCKED)]
)
def test_blocking_and_unblocking(status: str, kind: Sent) -> None:
    assert read(update(my_chat_member=membership(status))) == Incoming(kind)


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_a_group_is_left(kind: str) -> None:
    assert read(update(my_chat_member=membership("member", kind))) == Incoming(Sent.GROUP)
    assert read(update(message=message(text="salam", chat=chat(kind, title="x")))) == Incoming(Sent.GROUP)
    added = [{"id": 1, "is_bot": True, "first_name": "Rahnuma"}]
    assert read(update(message=message(new_chat_members=added, chat=chat(kind, title="x")))) == Incoming(Sent.GROUP)


def test_words_in_a_group_are_not_taken_along() -> None:
    """What people say to each other in a group is none of our business, and not stored."""
    arrived = read_update(parsed(update(message=message(text="my name is", chat=chat("group", title="x")))), LANGUAGES)
    assert arrived is not None
    assert (arrived.incoming.text, arrived.incoming.data, arrived.incoming.message_id) == ("", "", None)


@pytest.mark.parametrize(
    "data",
    [
        update(),
        update(channel_post=message(text="news", chat=chat("channel", title="x"))),
        update(edited_channel_post=message(text="news", chat=chat("channel", title="x"))),
        update(poll_answer={"poll_id": "1", "user": user(), "option_ids": [0], "option_persistent_ids": ["a"]}),
        update(inline_query={"id": "1", "from": user(), "query": "x", "offset": ""}),
        update(my_chat_member=membership("kicked", "group")),
        update(my_chat_member=membership("left", "supergroup")),
        update(my_chat_member=membership("member", "channel")),
        update(message=message(pinned_message=message(text="x"))),
        update(message=message(group_chat_created=False, chat=chat("group", title="x"))),
        update(message=message(left_chat_member=user(), chat=chat("group", title="x"))),
        update(message=message(text="beep", **{"from": {"id": 9, "is_bot": True, "first_name": "Bot"}})),
        update(message=message()),
        update(callback_query=tap(message=message(text="x", chat=chat("group", title="x")))),
        update(something_new={"a": 1}),
    ],
    ids="+".join,
)  # fmt: skip
def test_what_needs_no_answer(data: dict[str, Any]) -> None:
    assert read(data) is None


@pytest.mark.parametrize(
    ("tag", "hint"), [("ur", "ur"), ("fa-IR", "fa"), ("prs", "fa"), ("de", None), ("", None), (None, None)]
)
def test_telegrams_setting_is_a_hint(tag: str | None, hint: str | None) -> None:
    someone = user()
    if tag is None:
        del someone["language_code"]
    else:
        someone["language_code"] = tag
    for data in (
        update(message=message(text="salam", **{"from": someone})),
        update(callback_query={**tap(), "from": someone}),
    ):
        arrived = read_update(parsed(data), LANGUAGES)
        assert arrived is not None
        assert arrived.address == Address(TELEGRAM, str(CHAT), hint)


def test_nobody_is_known_by_name() -> None:
    """Neither name, username nor phone number goes any further than this."""
    someone = user(first_name="Zarmina", last_name="Khan", username="zarmina_k")
    contact = {"phone_number": "+923001234567", "first_name": "Zarmina"}
    for fields in ({"text": "salam"}, {"contact": contact}):
        arrived = read_update(parsed(update(message=message(**fields, **{"from": someone}))), LANGUAGES)
        assert not [word for word in ("Zarmina", "Khan", "zarmina_k", "923001234567") if word in repr(arrived)]


def test_what_was_read_survives_the_queue() -> None:
    for data in (text_update(), update(callback_query=tap()), update(message=message(location=PLACE_ON_EARTH))):
        found = read(data)
        assert found is not None
        assert Incoming.from_dict(found.as_dict()) == found

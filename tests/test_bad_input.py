"""Whatever a person sends, they get a sentence in their language; nothing crashes, nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.render import readable
from content.speaker import Speaker
from tests.conftest import System

_PATIENCE = 30.0
_SECRET = "Xylophonia-Quetzal"

WORDS = [
    pytest.param("   ", None, id="only spaces"),
    pytest.param("😭😭😭", "utter_bad_emoji", id="only emoji"),
    pytest.param("...???", "utter_bad_empty", id="only punctuation"),
    pytest.param("\u202e\u202d\u2066x\u2069", "", id="bidi overrides around a letter"),
    pytest.param("\x01\x02\x03 \x7f", None, id="control characters"),
    pytest.param(f"{_SECRET} " * 200, "utter_bad_too_long", id="far too long"),
]


@pytest.mark.parametrize(("text", "response"), WORDS)
def test_odd_words_get_a_sentence(text: str, response: str | None, system: System, speaker: Speaker) -> None:
    if response is None:
        assert _through_the_web(system, text), "no answer"
        return
    got = system.api.run(_one(system, lambda person: person.say(text)))
    assert got, "no answer"
    if response:
        expected = readable(speaker.line(response, "ps"), speaker.languages)
        assert got[0].text.startswith(expected), got[0].text


KINDS: list[tuple[str, Callable[[Any], Coroutine[Any, Any, Any]], str]] = [
    ("sticker", lambda person: person.sticker("🙏"), "utter_bad_sticker"),
    ("photo", lambda person: person.photo(""), "utter_bad_photo"),
    ("voice", lambda person: person.voice(3), "utter_bad_voice"),
    ("video note", lambda person: person.video_note(3), "utter_bad_video"),
    ("document", lambda person: person.document("a.pdf", ""), "utter_bad_file"),
    ("contact", lambda person: person.send_contact("+38733000000", _SECRET), "utter_bad_contact"),
]


@pytest.mark.parametrize(("name", "act", "response"), KINDS, ids=[kind[0] for kind in KINDS])
def test_what_is_no_text_gets_a_sentence(
    name: str, act: Callable[[Any], Coroutine[Any, Any, Any]], response: str, system: System, speaker: Speaker
) -> None:
    got = system.api.run(_one(system, act))
    assert got[0].text.startswith(readable(speaker.line(response, "ps"), speaker.languages))


def test_rule_5_a_location_is_read_out_and_its_pin_deleted(system: System, speaker: Speaker) -> None:
    async def talk() -> tuple[str, bool]:
        person = system.api.person(language_code="ps")
        pin = await person.share_location(44.66312, 16.09123)
        (answer,) = await person.wait_for_messages(1, timeout=_PATIENCE)
        await person.wait_until(lambda: person.chat.messages[pin].deleted, timeout=_PATIENCE)
        return answer.text, person.chat.messages[pin].deleted

    text, deleted = system.api.run(talk())
    assert "44.66312, 16.09123" in text.replace("\u2068", "").replace("\u2069", "")
    assert deleted


def test_an_edited_message_is_read_anew(system: System, speaker: Speaker) -> None:
    async def talk() -> list[str]:
        person = system.api.person(language_code="en")
        message = await person.say("thanks brother")
        await person.wait_for_messages(1, timeout=_PATIENCE)
        await person.edit(message, "i need a free lawyer for my asylum case")
        return [got.text for got in await person.wait_for_messages(2, timeout=_PATIENCE)]

    edited, answer = system.api.run(talk())
    assert edited == speaker.line("utter_bad_edited", "en").text
    assert answer == readable(speaker.answer("asylum_lawyer", "en"), speaker.languages)


def test_a_forwarded_danger_is_danger(system: System) -> None:
    got = system.api.run(
        _one(system, lambda person: person.forward("a mine exploded, my friend is bleeding", origin="A"))
    )
    assert got[0].text.startswith("⚠️")


def test_a_group_is_left_politely(system: System, speaker: Speaker) -> None:
    async def talk() -> tuple[list[str], bool]:
        person = system.api.person(language_code="en")
        group = await person.group("friends")
        await group.wait_until(lambda: group.left, timeout=_PATIENCE)
        return [message.text for message in group.messages if message.text], group.left

    texts, left = system.api.run(talk())
    assert left
    assert speaker.line("utter_group_leave", "en").text in texts


def test_a_button_of_an_old_keyboard_gets_a_sentence(system: System, speaker: Speaker) -> None:
    async def talk() -> str:
        person = system.api.person(language_code="ur")
        await person.start("")
        await person.wait_for_messages(2, timeout=_PATIENCE)
        await person.tap(person.messages[-1].buttons[0], data="zz:gone")
        return (await person.wait_for_messages(1, timeout=_PATIENCE))[0].text

    assert system.api.run(talk()) == readable(speaker.line("utter_old_button", "ur"), speaker.languages)


def test_nothing_of_a_text_is_logged(system: System) -> None:
    system.api.run(_one(system, lambda person: person.say(f"{_SECRET} doctor")))
    logs = list((system.data_dir / "log").glob("*.log"))
    assert len(logs) == 3
    for log in logs:
        assert _SECRET.lower() not in log.read_text(encoding="utf-8", errors="replace").lower(), log.name


async def _one(system: System, act: Callable[[Any], Coroutine[Any, Any, Any]]) -> list[Any]:
    person = system.api.person(language_code="ps")
    await act(person)
    received: list[Any] = await person.wait_for_messages(1, timeout=_PATIENCE)
    return received


def _through_the_web(system: System, text: str) -> list[dict[str, Any]]:
    import httpx

    with httpx.Client(base_url=system.url, timeout=40) as client:
        headers = {"Authorization": f"Bearer {client.post('/chat').json()['token']}"}
        assert client.post("/chat/messages", json={"text": text}, headers=headers).status_code == 202
        rows: list[dict[str, Any]] = client.get("/chat/messages", params={"wait": 20}, headers=headers).json()
        return rows

"""Whole dialogues through the running system, as a person on Telegram has them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.render import readable
from content.messages import Message
from content.speaker import Speaker
from tests.conftest import System, conversation_files, read_conversations

_PATIENCE = 30.0
CASES = [
    pytest.param(path.stem, conversation, id=f"{path.stem}: {conversation['name']}")
    for path in conversation_files()
    for conversation in read_conversations(path)
]


@pytest.mark.parametrize(("language", "conversation"), CASES)
def test_a_conversation(language: str, conversation: dict[str, Any], system: System, speaker: Speaker) -> None:
    system.api.run(_talk(language, conversation, system, speaker))


@pytest.mark.parametrize("path", conversation_files(), ids=lambda path: path.stem)
def test_every_language_has_at_least_six_conversations(path: Any) -> None:
    assert len(read_conversations(path)) >= 6


async def _talk(language: str, conversation: dict[str, Any], system: System, speaker: Speaker) -> None:
    person = system.api.person(language_code=conversation.get("telegram", ""))
    site = None
    for number, turn in enumerate(conversation["turns"]):
        site = turn.get("start") or site
        await _act(person, turn)
        expected = _expected(turn["expect"], language, site, speaker)
        received = await person.wait_for_messages(len(expected), timeout=_PATIENCE)
        for got, (wanted, offers) in zip(received, expected):
            where = f"turn {number + 1} ({turn})"
            _same(got.text, wanted, offers, speaker, where)
            keys = [button.data for button in got.buttons]
            missing = [b.data for b in wanted.buttons if b.data not in keys]
            assert not missing, f"{where}: buttons {missing} are missing"


async def _act(person: Any, turn: dict[str, Any]) -> None:
    if "start" in turn:
        await person.start(turn["start"] or "")
    elif "command" in turn:
        await person.say(f"/{turn['command']}")
    elif "tap" in turn:
        await person.tap(_button(person, turn["tap"]))
    else:
        await person.say(turn["say"])


def _button(person: Any, data: str) -> Any:
    found = [b for message in reversed(person.messages) for b in message.buttons if b.data == data]
    assert found, f"no button {data} in the chat"
    return found[0]


def _same(got: str, wanted: Message, offers: str | None, speaker: Speaker, where: str) -> None:
    text = readable(wanted, speaker.languages).strip()
    if offers:
        line, _ = speaker.switch_offer(offers)
        text = readable(wanted.with_text(line), speaker.languages).strip()
    assert got == text, f"{where}:\n--- got\n{got}\n--- expected\n{text}"


def _expected(expect: Any, language: str, site: str | None, speaker: Speaker) -> list[tuple[Message, str | None]]:
    if isinstance(expect, list):
        return [pair for one in expect for pair in _expected(one, language, site, speaker)]
    if isinstance(expect, str):
        return [(_plain(expect, language, site, speaker), None)]
    spoken = expect.get("language", language)
    return [(_detailed(expect, spoken, site, speaker), expect.get("offers"))]


def _plain(expect: str, language: str, site: str | None, speaker: Speaker) -> Message:
    made = {
        "start": lambda: speaker.start(language, site),
        "languages": lambda: speaker.language_choice(language),
        "menu": lambda: speaker.menu(language),
        "unsure": lambda: speaker.unsure((), language),
        "refused": lambda: speaker.out_of_scope(language),
        "person": lambda: speaker.person(language),
        "again": lambda: speaker.safety_repeat(language),
    }
    return made[expect]()


def _detailed(expect: dict[str, Any], language: str, site: str | None, speaker: Speaker) -> Message:
    if "answer" in expect:
        return speaker.respond(f"utter_{expect['answer']}", language, site=site)
    if "safety" in expect:
        return speaker.safety(expect["safety"], language)
    if "area" in expect:
        return speaker.area(expect["area"], language)
    if "language_set" in expect:
        return speaker.language_set(expect["language_set"])
    if "english" in expect:
        return speaker.english(f"utter_{expect['english']}")
    message = speaker.line(expect["line"], language)
    return message

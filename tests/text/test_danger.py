"""Word lists: the syntax of patterns, and that nothing typed in a hurry slips through it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from text.danger import DangerListError, DangerLists, Hit, spaced_words

TOPICS = ("mines_found", "emergency_help", "protection_kidnap")


def lists(folder: Path, **by_code: dict[str, object]) -> DangerLists:
    for code, content in by_code.items():
        (folder / f"{code}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return DangerLists.load(folder, by_code, TOPICS)


def topics(found: list[Hit]) -> list[str]:
    return [hit.topic for hit in found]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        # one word, whole
        ("grenade", "a grenade!", True),
        ("grenade", "GRENADE", True),
        ("grenade", "grenades", False),
        ("mine", "undermine it", False),
        ("mine", "", False),
        # stems
        ("grenade*", "grenades here", True),
        ("*mine", "landmine here", True),
        ("*mine*", "landmines here", True),
        ("*mine", "landmines here", False),
        # words in order, at most two others between neighbours
        ("saw mine", "i saw mine", True),
        ("saw mine", "i saw a big mine", True),
        ("saw mine", "i saw a very big mine", False),
        ("saw mine", "mine i saw", False),
        ("saw a mine", "saw one two a three four mine", True),
        # alternatives
        ("saw|found mine", "we found a mine", True),
        ("saw|found mine", "we lost a mine", False),
        # both somewhere, in any order and at any distance
        ("mine + here|front", "here we all stand and think that it is a mine", True),
        ("mine + here|front", "a mine is there", False),
        # punctuation and signs are no words
        ("saw mine", "saw,...mine!!", True),
        ("can't breathe", "I can’t breathe", True),
        ("can't breathe", "i cant breathe", False),
    ],
)
def test_a_pattern(tmp_path: Path, pattern: str, text: str, expected: bool) -> None:
    found = lists(tmp_path, en={"topics": {"mines_found": [pattern]}}).match(text)
    assert topics(found) == (["mines_found"] if expected else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("saw a landmine", True), ("saw grenades", True), ("saw an unexploded shell", True), ("saw a cat", False)],
)
def test_a_class_stands_for_its_words(tmp_path: Path, text: str, expected: bool) -> None:
    content = {
        "classes": {"mine": ["mine", "landmine*", "grenade*", "unexploded shell"]},
        "topics": {"mines_found": ["saw @mine"]},
    }
    assert bool(lists(tmp_path, en=content).match(text)) is expected


def test_unless_drops_a_match_of_its_topic_only(tmp_path: Path) -> None:
    content = {
        "topics": {"mines_found": ["mine"], "emergency_help": ["bleeding"]},
        "unless": {"mines_found": ["is there mine"]},
    }
    both = lists(tmp_path, en=content)
    assert topics(both.match("is there a mine")) == []
    assert topics(both.match("a mine, he is bleeding")) == ["mines_found", "emergency_help"]
    assert topics(both.match("is there a mine, he is bleeding")) == ["emergency_help"]


def test_unless_all_drops_every_match_of_its_list(tmp_path: Path) -> None:
    found = lists(
        tmp_path,
        en={"topics": {"mines_found": ["mine"]}, "unless": {"all": ["film|movie|dream*"]}},
        fa={"topics": {"mines_found": ["مین"]}},
    )
    assert topics(found.match("a mine in a movie")) == []
    assert topics(found.match("مین, a mine in a movie")) == ["mines_found"], "another language's list still speaks"


@pytest.mark.parametrize(
    ("pattern", "typed"),
    [
        ("کمک", "كمك"),  # Farsi word on an Arabic keyboard
        ("علی", "علي"),
        ("ماین", "مـــاین"),
        ("مین", "مییییین"),
        ("خانه", "خانہ"),
        ("ټوپک", "توپک"),  # Pashto without its own letters
        ("ډزې", "دزی"),
        ("گولی", "ګولۍ"),
        ("ٹانگ", "تانگ"),
        ("لغم", "لَغَم"),
        ("أنقذوني", "انقذوني"),
        ("می‌میرم", "میمیرم"),
        ("mujhe bachao", "MUJHE  BACHAOOOO"),
        ("aidez", "áidez"),
        ("سلام", "\u202eسلام\u202c"),
        ("سلام", "ﺳﻼﻡ"),
    ],
)
def test_rule_3_a_wrong_keyboard_hides_no_danger(tmp_path: Path, pattern: str, typed: str) -> None:
    found = lists(tmp_path, fa={"topics": {"emergency_help": [pattern]}}).match(f"آه {typed} !!")
    assert topics(found) == ["emergency_help"]


def test_the_order_of_the_topics_decides_what_is_answered_first(tmp_path: Path) -> None:
    content = {"topics": {"protection_kidnap": ["locked"], "mines_found": ["mine"], "emergency_help": ["bleeding"]}}
    found = lists(tmp_path, en=content).match("bleeding, locked in, a mine outside")
    assert topics(found) == list(TOPICS)


def test_every_language_that_a_message_may_be_in_is_tried(tmp_path: Path) -> None:
    both = lists(tmp_path, en={"topics": {"mines_found": ["mine"]}}, ur={"topics": {"emergency_help": ["bachao"]}})
    for languages in (None, ("en", "ur"), ("ar", "en", "ur")):
        assert topics(both.match("bachao, a mine", languages)) == ["mines_found", "emergency_help"]


def test_a_list_of_a_language_that_it_is_not_in_raises_no_alarm(tmp_path: Path) -> None:
    both = lists(tmp_path, ar={"topics": {"mines_found": ["لغم"]}}, fa={"topics": {"mines_found": ["لغم"]}})
    assert both.match("لغم", ("fa",)) == [Hit("mines_found", "fa")]
    assert both.match("لغم", ("ar",)) == [Hit("mines_found", "ar")]
    assert both.match("لغم", ("en",)) == []


def test_a_language_without_a_list_is_no_error(tmp_path: Path) -> None:
    assert DangerLists.load(tmp_path, ["en", "ps"], TOPICS).match("help") == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("topics: [unclosed", "not valid YAML"),
        ("- a list", "mapping"),
        ("topics: {mines_lost: [mine]}", "mines_lost"),
        ("topics: {mines_found: ['@mine']}", "@mine"),
        ("topics: {mines_found: ['!!!']}", "no letters"),
        ("topics: {mines_found: ['*']}", "no letters"),
        ("topics: {mines_found: ['']}", "empty"),
        ("topics: {mines_found: [' + ']}", "empty"),
        # A row without its dash is one string; read letter by letter it would match nearly everything.
        ("topics: {mines_found: a mine}", "mines_found"),
        ("classes: {mine: landmine}\ntopics: {mines_found: ['@mine']}", "mine"),
        ("classes: {mine: ['@other']}", "@other"),
        ("topics: {}\nunless: {mines_lost: [film]}", "mines_lost"),
    ],
)
def test_a_list_that_cannot_be_read_names_its_file(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "ps.yml").write_text(content, encoding="utf-8")
    with pytest.raises(DangerListError) as error:
        DangerLists.load(tmp_path, ["ps"], TOPICS)
    assert "ps.yml" in str(error.value)
    assert says in str(error.value)


def test_a_list_in_another_encoding_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "ar.yml").write_bytes("topics: {mines_found: [لغم]}".encode("utf-16"))
    with pytest.raises(DangerListError, match=r"ar\.yml"):
        DangerLists.load(tmp_path, ["ar"], TOPICS)


@pytest.mark.parametrize("text", ["", "🚨🚨🚨", "\x00\u202e", "'''", "_____"])
def test_a_message_without_words_matches_nothing(tmp_path: Path, text: str) -> None:
    assert spaced_words(text).split() == []
    assert lists(tmp_path, en={"topics": {"mines_found": ["*mine*"]}}).match(text) == []

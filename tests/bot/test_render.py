"""What stands on the screen of somebody who reads from right to left."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.render import FSI, PDI, TELEGRAM_LIMIT, direction_of, laid_out, readable, split, utf16_length
from content.messages import Button, Message
from content.speaker import Speaker
from tests.factories import CODES, LANGUAGES, RIGHT_TO_LEFT, thorough
from text.scripts import is_right_to_left

_NATIVE = "ابپتسلامردشکگھےڑټښ"
_PIECES = [
    "سلام",
    "بوسنیا",
    "ټول",
    "124",
    "۱۲۴",
    "0800 222 25",
    "+387 33 955 200",
    "weareallin.iom.int",
    "https://rahnuma.example/a?b=1",
    "help@example.org",
    "Vaša prava",
    "IOM",
    "Una-Sana",
    "44.81234, 15.87012",
    "2026-11-23",
    "8:30",
    "1.",
    "(",
    "«",
    "»",
    ".",
    "،",
    "؟",
    "⚠️",
    "👍🏽",
    "\n",
    "\n\n",
    " ",
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=20).map(" ".join),
    st.text(st.sampled_from(_NATIVE + "abcXYZ 0123456789+-.,:/@\n()«»؟۔۱۲"), max_size=80),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=FSI + PDI), max_size=60),
)


def shown(text: str, language: str = "ur") -> str:
    return readable(Message(text, language), LANGUAGES)


def depth(text: str) -> int:
    """How deep isolates are nested; fails where one is closed before it is opened, or left open."""
    open_now = deepest = 0
    for character in text:
        open_now += (character == FSI) - (character == PDI)
        assert open_now >= 0, "closed before it was opened"
        deepest = max(deepest, open_now)
    assert open_now == 0, "left open"
    return deepest


def without_marks(text: str) -> str:
    return re.sub(f"[{FSI}{PDI}\u200f]", "", text)


def isolated(text: str) -> list[str]:
    return re.findall(f"{FSI}([^{PDI}]*){PDI}", text)


# --- any text ---------------------------------------------------------------------------------


@thorough
@given(TEXTS, st.sampled_from(CODES))
@example("سلام a@b.c", "ur")
def test_isolates_are_balanced_and_never_nested(text: str, language: str) -> None:
    assert depth(shown(text, language)) <= 1


@thorough
@given(TEXTS, st.sampled_from(CODES))
def test_nothing_of_the_words_changes(text: str, language: str) -> None:
    assert without_marks(shown(text, language)) == without_marks(text)


@thorough
@given(TEXTS, st.sampled_from(RIGHT_TO_LEFT))
@example("IOM به شما کمک می‌کند", "fa")
@example("124", "ur")
def test_a_right_to_left_message_begins_so(text: str, language: str) -> None:
    assert is_right_to_left(shown(text, language))


@thorough
@given(TEXTS)
def test_plain_left_to_right_text_gets_no_direction(text: str) -> None:
    assert without_marks(shown(text, "en")) == without_marks(text)
    assert not [mark for mark in isolated(shown(text, "en")) if not re.fullmatch(r"[+\d ]+", mark)]
    assert shown(text, "en").count("\u200f") == text.count("\u200f")


@thorough
@given(
    st.lists(
        st.one_of(TEXTS, st.sampled_from(["جملہ ایک۔ ", "A sentence. ", f"{FSI}+387 33 955 200{PDI} ", "ا" * 40])),
        min_size=1,
        max_size=60,
    ),
    st.integers(60, 400),
)
def test_parts_fit_close_their_isolates_and_lose_nothing(pieces: list[str], limit: int) -> None:
    text = shown(" ".join(pieces).replace(FSI, "").replace(PDI, ""))
    # An isolate is a number, a link or a name; one longer than a whole message does not occur.
    assume(all(utf16_length(mark) + 2 <= limit for mark in isolated(text)))
    parts = split(text, limit)
    assert all(parts), "Telegram refuses an empty message"
    for part in parts:
        assert utf16_length(part) <= limit
        depth(part)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


@thorough
@given(st.text(st.sampled_from("👍🏽ا ab.\n"), max_size=200), st.integers(10, 60))
def test_parts_are_counted_as_telegram_counts(text: str, limit: int) -> None:
    assert all(0 < utf16_length(part) <= limit for part in split(text, limit))


# --- what stands in isolates --------------------------------------------------------------------


@pytest.mark.parametrize("language", RIGHT_TO_LEFT)
@pytest.mark.parametrize(
    "thing",
    [
        "124",
        "۱۲۴",
        "0800 222 25",
        "+387 33 955 200",
        "weareallin.iom.int",
        "https://example.org/path/page",
        "www.example.org/a-b",
        "help@example.org",
        "IOM",
        "Vaša prava",
        "Borići",
        "Una-Sana",
        "Service for Foreigners",
        # Read out to rescuers: with each number alone, the screen shows 87012.15 ,81234.44.
        "44.81234, 15.87012",
        "-44.81234, -15.87012",
        "2026-11-23",
        "8:30",
        "24/7",
        "1.5",
        "1,200",
    ],
)
def test_a_number_a_link_or_a_latin_name_stands_in_one_isolate(language: str, thing: str) -> None:
    for text in (f"سلام {thing} سلام", f"سلام {thing}", f"سلام: {thing}۔", f"({thing}) سلام"):
        assert isolated(shown(text, language)) == [thing]


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("124 ambulance امبولانس", ["124", "ambulance"]),
        ("یا 121، یا 122", ["121", "122"]),
        ("121, 122, 124 پر", ["121", "122", "124"]),
        ("IOM (+387 33 955 200) سے", ["IOM", "+387 33 955 200"]),
        ("آخر میں 124.", ["124"]),
        ("دیکھیں weareallin.iom.int.", ["weareallin.iom.int"]),
    ],
)
def test_neighbours_stand_in_isolates_of_their_own(text: str, things: list[str]) -> None:
    assert isolated(shown(text)) == things


def test_the_number_of_a_step_stays_where_the_line_begins() -> None:
    assert shown("1. ابھی 124 پر فون کریں۔\n12. رکیں۔") == f"1. ابھی {FSI}124{PDI} پر فون کریں۔\n12. رکیں۔"


def test_a_line_of_english_within_is_isolated_whole() -> None:
    """Its full stop stays at its own end."""
    assert shown("سلام\nCall 124 now.") == f"سلام\n{FSI}Call 124 now.{PDI}"


def test_a_line_of_nothing_but_a_phone_number_is_isolated() -> None:
    """Its spaces would take the direction of the page: 200 955 33 387+."""
    assert shown("سلام\n+387 33 955 200") == f"سلام\n{FSI}+387 33 955 200{PDI}"


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("In Bosnia call 124.", ["124"]),
        ("call +387 33 955 200, or 0800 222 25", ["+387 33 955 200", "0800 222 25"]),
        ("See weareallin.iom.int or ask IOM on 2026-11-23 in Bihać.", []),
        ("You have 15 days, 3 of 124.5 are 1245", []),
        ("1. Stop.\n2. Wait.", []),
    ],
)
def test_in_english_only_phone_numbers_are_marked(text: str, things: list[str]) -> None:
    assert isolated(shown(text, "en")) == things


def test_a_language_that_is_not_ours_reads_like_english() -> None:
    assert direction_of("fr", LANGUAGES) == "ltr"
    assert shown("Appelez le 124", "fr") == f"Appelez le {FSI}124{PDI}"


# --- our own content ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_every_line_of_ours_is_readable(speaker: Speaker, code: str) -> None:
    for name in speaker.catalogue.responses:
        said = speaker.catalogue.say(name, code)
        text = readable(Message(said.text, said.language), speaker.languages)
        assert depth(text) <= 1, name
        assert is_right_to_left(text) is (said.language in RIGHT_TO_LEFT), name


@pytest.mark.parametrize("code", RIGHT_TO_LEFT)
def test_rule_5_coordinates_are_read_from_the_left(speaker: Speaker, code: str) -> None:
    message = speaker.line("utter_bad_location", code, coordinates="44.81234, 15.87012")
    assert "44.81234, 15.87012" in isolated(readable(message, speaker.languages))


# --- splitting and keyboards ----------------------------------------------------------------------


def test_a_text_that_fits_is_one_part() -> None:
    assert split("a" * TELEGRAM_LIMIT) == ["a" * TELEGRAM_LIMIT]
    assert split("👍" * (TELEGRAM_LIMIT // 2)) == ["👍" * (TELEGRAM_LIMIT // 2)]
    assert len(split("👍" * (TELEGRAM_LIMIT // 2) + "a")) == 2


def test_nothing_to_say_is_no_part() -> None:
    assert split("") == []
    assert split(" \n ", 2) == []


def test_a_text_is_cut_after_a_sentence_or_else_after_a_word() -> None:
    assert split("One two. Three four. Five six.", 22) == ["One two. Three four.", "Five six."]
    assert split("یہ ایک ہے۔ یہ دو ہے۔", 12) == ["یہ ایک ہے۔", "یہ دو ہے۔"]
    assert split("one two three four", 9) == ["one two", "three", "four"]
    assert split("onetwothree", 4) == ["onet", "woth", "ree"]


def test_no_cut_goes_through_an_isolate() -> None:
    number = f"{FSI}+387 33 955 200{PDI}"
    assert split(f"call {number} now", 20) == ["call", number, "now"]


def test_space_at_the_edge_makes_no_empty_part() -> None:
    assert split("  \n" + "a" * 30, 20) == ["a" * 20, "a" * 10]


def test_rows_begin_where_reading_begins() -> None:
    one, two, three = (Button(name, name) for name in "abc")
    assert laid_out(((one, two), (three,)), "rtl") == ((two, one), (three,))
    assert laid_out(((one, two), (three,)), "ltr") == ((one, two), (three,))

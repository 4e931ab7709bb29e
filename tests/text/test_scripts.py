"""Scripts and the direction of a text."""

from __future__ import annotations

import pytest

from text.scripts import SCRIPT_LANGUAGES, dominant_script, is_right_to_left, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("where is the centre", "LATIN"),
        ("أين المركز", "ARABIC"),
        ("ﻣﺮﺣﺒﺎ", "ARABIC"),
        ("привет", "CYRILLIC"),
        ("ሰላም", "ETHIOPIC"),
        ("নমস্কার", "BENGALI"),
        ("你好", "CJK"),
        ("نام من Zarmina است", "ARABIC"),
        ("I live in لیپا camp", "LATIN"),
        ("1. 124 !", None),
        ("🚨", None),
        ("", None),
    ],
)
def test_the_script_of_most_letters_wins(text: str, script: str | None) -> None:
    assert dominant_script(text) == script


@pytest.mark.parametrize("character", ["1", "۱", " ", ".", "\u200f", "👍", "_"])
def test_what_is_no_letter_has_no_script(character: str) -> None:
    assert script_of(character) is None


def test_a_script_names_at_most_one_language_and_never_one_of_arabic_or_latin() -> None:
    assert "ARABIC" not in SCRIPT_LANGUAGES
    assert "LATIN" not in SCRIPT_LANGUAGES
    assert len(set(SCRIPT_LANGUAGES.values())) == len(SCRIPT_LANGUAGES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سلام", True),
        ("1. سلام", True),
        ("⚠️ سلام", True),
        ("\u200fhello", True),
        ("hello سلام", False),
        ("124", False),
        ("", False),
        ("שלום", True),
    ],
)
def test_the_first_strong_character_gives_the_direction(text: str, expected: bool) -> None:
    assert is_right_to_left(text) is expected

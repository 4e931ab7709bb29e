"""The order of precedence of :func:`bot.language_choice.language_of_turn`, walked from top to bottom."""

from __future__ import annotations

import itertools

import pytest

from bot.language_choice import CLEAR, is_clear, language_of_turn
from content.languages import SOURCE_LANGUAGE
from tests.factories import CODES
from text.language import Identified

CLEAR_PASHTO = Identified("ps", 0.99, "ARABIC")
UNSURE_PASHTO = Identified("ps", CLEAR - 0.01, "ARABIC")
CLEAR_FRENCH = Identified("fr", 0.99, "LATIN")
NOT_OURS = ("", "fr", "xx", "AR", "ar-latn", "und", None)


def choose(
    message: Identified | None = None,
    letters: int = 20,
    choice: str | None = None,
    last_clear: str | None = None,
    hint: str | None = None,
) -> str:
    return language_of_turn(message=message, letters=letters, choice=choice, last_clear=last_clear, hint=hint)


def test_1_this_message_if_it_is_clear() -> None:
    assert choose(CLEAR_PASHTO, choice="ur", last_clear="fa", hint="ar") == "ps"
    romanised = Identified("ur", 0.9, "LATIN", romanised=True)
    assert choose(romanised, choice="en", last_clear="en", hint="en") == "ur"


def test_2_the_choice() -> None:
    assert choose(UNSURE_PASHTO, choice="ur", last_clear="fa", hint="ar") == "ur"
    assert choose(choice="ur", last_clear="fa", hint="ar") == "ur"


def test_3_the_last_clear_message() -> None:
    assert choose(UNSURE_PASHTO, last_clear="fa", hint="ar") == "fa"


def test_4_telegrams_own_setting() -> None:
    assert choose(UNSURE_PASHTO, hint="ar") == "ar"


def test_5_english() -> None:
    assert choose(UNSURE_PASHTO) == choose() == SOURCE_LANGUAGE


@pytest.mark.parametrize("message", [UNSURE_PASHTO, CLEAR_FRENCH, Identified("und", 0.0, None), None])
def test_a_message_that_is_not_clear_or_not_ours_decides_nothing(message: Identified | None) -> None:
    assert choose(message, choice="ur") == "ur"
    assert choose(message, last_clear="fa") == "fa"


@pytest.mark.parametrize(
    ("message", "letters", "clear"),
    [
        (CLEAR_PASHTO, 3, True),
        (CLEAR_PASHTO, 2, False),  # "ok", "هو": too short to say
        (CLEAR_PASHTO, 0, False),
        (Identified("ps", CLEAR, "ARABIC"), 3, True),
        (UNSURE_PASHTO, 300, False),
        (CLEAR_FRENCH, 300, False),
    ],
)
def test_what_is_clear(message: Identified, letters: int, clear: bool) -> None:
    assert is_clear(message, letters) is clear
    assert (choose(message, letters, choice="ur") == message.language) is clear


@pytest.mark.parametrize("bad", NOT_OURS)
def test_a_code_that_is_not_ours_is_passed_over(bad: str | None) -> None:
    """A code may come from an older version, or from Telegram: what is next in the order speaks."""
    assert choose(choice=bad, last_clear="fa", hint="ar") == "fa"
    assert choose(choice=bad, last_clear=bad, hint="ar") == "ar"
    assert choose(choice=bad, last_clear=bad, hint=bad) == SOURCE_LANGUAGE


@pytest.mark.parametrize(
    ("choice", "last_clear", "hint"), itertools.product([None, "xx", "ur"], [None, "xx", "fa"], [None, "xx", "ar"])
)
def test_the_answer_is_always_in_a_language_of_ours(
    choice: str | None, last_clear: str | None, hint: str | None
) -> None:
    for message in (None, CLEAR_PASHTO, UNSURE_PASHTO, CLEAR_FRENCH):
        assert choose(message, choice=choice, last_clear=last_clear, hint=hint) in CODES

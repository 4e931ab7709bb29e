"""Spelling made even: what people type on other keyboards, in other forms, with other digits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import CODES, thorough
from text.normalise import fold, light, without_emoji

# Everything that the two forms treat specially, so that random texts are about it.
_AWKWARD = (
    "كکڪگګيىئېۍےیۓهةەہھۀۂۃآأإٱاؤوټٹډڈړڑڼںښږځڅءپچژ"
    "\u064b\u064e\u0651\u0653\u0654\u0655\u0670\u0674\u06d6\u0640"
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202e\u2066\u2067\u2068\u2069\u061c\ufeff\u00ad"
    "ﻙﻚﻛﻜﮎﯼﻯﻱﻩﺔﷲﻻﺁ٠١٢۰۱۲012"
    "aAeEéİıßŞçñ\u0300\u0301’‘ʼ`'\x00\x07\x7f\t\n\r \u00a0\u3000👍🏽\u2764\ufe0f"
)
TEXTS = st.one_of(st.text(st.sampled_from(_AWKWARD), max_size=40), st.text(max_size=40))


@thorough
@given(TEXTS, st.sampled_from([None, *CODES]))
@example("aaa\u200baa", None)
@example("ه\u0654", "ur")
def test_light_of_light_is_light(text: str, language: str | None) -> None:
    once = light(text, language)
    assert light(once, language) == once


@thorough
@given(TEXTS)
@example("\u0674\u0627")
@example("İ")
def test_fold_of_fold_is_fold(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@thorough
@given(TEXTS, st.sampled_from([None, *CODES]))
def test_both_forms_agree_on_what_is_the_same_word(text: str, language: str | None) -> None:
    """Bringing letters home first, for whatever language was guessed, does not move a word in the lists."""
    assert fold(light(text, language)) == fold(text)


@thorough
@given(TEXTS)
def test_no_control_reaches_what_reads_a_message(text: str) -> None:
    for form in (light(text), fold(text)):
        assert not any(ord(c) < 32 or 0x200B <= ord(c) <= 0x200F or 0x202A <= ord(c) <= 0x202E for c in form)
        assert form == " ".join(form.split())


WRONG_KEYBOARD = [
    # language, as typed elsewhere, as the language writes it
    ("ar", "کتاب", "كتاب"),  # Farsi kaf
    ("ar", "علی", "علي"),  # Farsi yeh
    ("ar", "ہنا", "هنا"),  # Urdu heh goal
    ("ar", "ھنا", "هنا"),  # heh doachashmee
    ("ar", "مدرسۃ", "مدرسة"),
    ("fa", "كمك", "کمک"),
    ("fa", "علي", "علی"),
    ("fa", "پناهندگى", "پناهندگی"),
    ("fa", "ہستم", "هستم"),
    ("fa", "خانة", "خانه"),
    ("fa", "خانۀ", "خانه"),
    ("ps", "كور", "کور"),
    ("ps", "گډه", "ګډه"),
    ("ps", "سړے", "سړی"),
    ("ps", "مرستہ", "مرسته"),
    ("ur", "كيا", "کیا"),
    ("ur", "هے", "ہے"),
    ("ur", "مدرسة", "مدرسہ"),
    ("ur", "أردو", "اردو"),
    ("en", "help", "help"),
]


@pytest.mark.parametrize(("language", "typed", "own"), WRONG_KEYBOARD)
def test_a_foreign_keyboard_writes_the_languages_own_letters(language: str, typed: str, own: str) -> None:
    assert light(typed, language) == own


@pytest.mark.parametrize(("language", "typed", "own"), WRONG_KEYBOARD)
def test_a_foreign_keyboard_finds_the_same_word_in_a_list(language: str, typed: str, own: str) -> None:
    assert fold(typed) == fold(own)


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("ar", "يى ك ه ة"),
        ("fa", "ی ک ه گ"),
        ("ps", "ی ې ۍ ئ ګ ټ ډ ړ ږ ښ ځ څ ڼ"),
        ("ur", "ی ے ہ ھ ٹ ڈ ڑ ں"),
        ("en", "it's"),
    ],
)
def test_a_languages_own_letters_stay(language: str, word: str) -> None:
    assert light(word, language) == word


@pytest.mark.parametrize(
    "family",
    [
        "كکڪڬڭڮ",
        "گګ",
        "يىئېۍےۓێیۑ",
        "اأإآٱٲٳ",
        "ةەہهھۀۂۃ",
        "وؤۆۇۈۋ",
        "تټٹ",
        "دډڈ",
        "رړڑ",
        "نڼںڻ",
        "شښ",
        "ژږ",
        "زځ",
        "سڅ",
    ],
)
def test_letters_of_a_family_fold_to_one(family: str) -> None:
    assert len({fold(f"م{letter}م") for letter in family}) == 1


@pytest.mark.parametrize(("one", "other"), [("کار", "گار"), ("باد", "پاد"), ("شب", "سب"), ("تا", "نا"), ("من", "مر")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("language", [None, *CODES])
@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),  # presentation forms, from a copied page or an old phone
        ("ﻻ", "لا"),
        ("سـلـام", "سلام"),  # tatweel
        ("مَرْحَباً", "مرحبا"),  # vowel marks
        ("رحمٰن", "رحمن"),
        ("م\u200cن", "من"),  # zero-width non-joiner
        ("\u202eسلام\u202c", "سلام"),  # bidi override
        ("\u2067سلام\u2069", "سلام"),
        ("\ufeffسلام\u200f", "سلام"),
        ("سلاااااام", "سلام"),  # stretched letters
        ("heeeeelp", "help"),
        ("\tsalam\n\n khubi ", "salam khubi"),
        ("ｈｅｌｐ", "help"),
        ("سلام 🚨🚨", "سلام"),
        ("", ""),
        ("\u202e\u200b\x07", ""),
        ("👍🏽👍🏽", ""),
    ],
)
def test_what_does_not_change_a_word_goes(language: str | None, typed: str, plain: str) -> None:
    """The letters of these words belong to every language, so a guess of the language changes nothing."""
    assert fold(light(typed, language)) == fold(plain)
    assert light(typed) == plain


@pytest.mark.parametrize("language", [None, *CODES])
@pytest.mark.parametrize("number", ["124", "١٢٤", "۱۲۴", "１２４"])
def test_every_digit_set_is_the_same_number(language: str | None, number: str) -> None:
    assert light(number, language) == "124"


@pytest.mark.parametrize("text", ["1000000", "0800 222 25", "hello", "سللام", "book"])
def test_numbers_and_doubled_letters_are_no_stretching(text: str) -> None:
    assert light(text) == text


@pytest.mark.parametrize(
    ("typed", "same"),
    [("سؤال", "سوال"), ("مسئول", "مسیول"), ("سماء", "سما"), ("Château", "chateau"), ("kya hal hai’", "kya hal hai'")],
)
def test_folding_drops_hamza_and_accents(typed: str, same: str) -> None:
    assert fold(typed) == fold(same)


def test_light_keeps_hamza_because_embeddings_lose_by_its_absence() -> None:
    assert light("سؤال") == "سؤال"


def test_pictures_leave_no_hole() -> None:
    assert without_emoji("help 🚨 me ❤️") == "help me"

"""One place where spelling is made even, for every part that reads a message.

Two forms, both idempotent:

* :func:`light` keeps a text readable: compatibility forms, controls, tatweel, vowel marks and
  stretched letters go, digits become ASCII, and (where the language is known) letters of a foreign
  keyboard become the language's own. Sentence embeddings read this form; they lose by more.
* :func:`fold` is for comparing: all kafs, yehs, hehs, alefs and local letters fall together, so that
  a word typed on the wrong keyboard, or without hamza, finds its twin. Word lists, n-grams and
  look-up keys use it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from text.lang import letters

_MAX_PASSES = 5

# Zero-width joiners are spelling in Farsi and Pashto, yet most people leave them out.
_INVISIBLE = re.compile("[\u00ad\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_STRETCHED = re.compile(r"(\D)\1{2,}")
_TATWEEL = "\u0640"

# Marks of the Arabic block: harakat, superscript alef, Quranic signs. Hamza and madda above are
# left to composition (NFC), and taken off by fold().
_ARABIC_MARKS = re.compile(
    "[\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08d3-\u08ff]"
)
_HAMZA_MARKS = re.compile("[\u0653-\u0655\u0674\u0621]")
_LATIN_MARKS = re.compile("[\u0300-\u036f]")

_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe00-\ufe0f\u20e3\U000e0020-\U000e007f]"
)

_FOLDED_LETTERS = str.maketrans(
    {
        **dict.fromkeys("كڪڬڭڮ", "ک"),
        **dict.fromkeys("گګ", "گ"),
        **dict.fromkeys("يىئېۍےۓێیۑ", "ی"),
        **dict.fromkeys("أإآٱٲٳ", "ا"),
        **dict.fromkeys("ةەہھۀۂۃ", "ه"),
        **dict.fromkeys("ؤۆۇۈۋ", "و"),
        **dict.fromkeys("ټٹ", "ت"),
        **dict.fromkeys("ډڈ", "د"),
        **dict.fromkeys("ړڑ", "ر"),
        **dict.fromkeys("ڼںڻ", "ن"),
        "ښ": "ش",
        "ږ": "ژ",
        "ځ": "ز",
        "څ": "س",
        "ء": "",
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "`": "'",
        "ı": "i",
    }
)


@lru_cache(maxsize=8192)
def light(text: str, language: str | None = None) -> str:
    """The readable form of a message; ``language`` brings foreign keyboard letters home.

    >>> light("مـــرحبا")
    'مرحبا'
    """
    table = str.maketrans(letters(language)) if language else {}
    return _until_stable(text, lambda value: _light_once(value).translate(table))


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """The comparing form of a message: lower case, one letter for each family of letters."""
    return _until_stable(text, _fold_once)


def without_emoji(text: str) -> str:
    """The text with pictures taken out, spaces tidied."""
    return _SPACES.sub(" ", _EMOJI.sub(" ", text)).strip()


def _light_once(text: str) -> str:
    value = unicodedata.normalize("NFKC", text)
    value = _INVISIBLE.sub("", value)
    value = _CONTROLS.sub(" ", value).replace(_TATWEEL, "")
    value = _ARABIC_MARKS.sub("", value)
    value = "".join(_ascii_digit(character) for character in value)
    value = without_emoji(value)
    value = _STRETCHED.sub(r"\1", value)
    return _SPACES.sub(" ", value).strip()


def _fold_once(text: str) -> str:
    value = _light_once(text).casefold().translate(_FOLDED_LETTERS)
    value = unicodedata.normalize("NFD", value)
    value = _LATIN_MARKS.sub("", _HAMZA_MARKS.sub("", value))
    return unicodedata.normalize("NFC", value).translate(_FOLDED_LETTERS)


def _ascii_digit(character: str) -> str:
    if character.isdecimal() and not character.isascii():
        return str(unicodedata.decimal(character))
    return character


def _until_stable(text: str, step: Callable[[str], str]) -> str:
    for _ in range(_MAX_PASSES):
        changed = step(text)
        if changed == text:
            break
        text = changed
    return text

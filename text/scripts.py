"""Which writing a text is in, and which language a script alone gives away."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

ARABIC = "ARABIC"
LATIN = "LATIN"

# Scripts that name a language by themselves, as far as a short message can tell.
SCRIPT_LANGUAGES = {
    "BENGALI": "bn",
    "DEVANAGARI": "hi",
    "GURMUKHI": "pa",
    "CYRILLIC": "ru",
    "ETHIOPIC": "am",
    "HEBREW": "he",
    "GREEK": "el",
    "TAMIL": "ta",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "SINHALA": "si",
    "CJK": "zh",
    "HIRAGANA": "ja",
    "HANGUL": "ko",
    "THAI": "th",
}


@lru_cache(maxsize=4096)
def script_of(character: str) -> str | None:
    """The script of one letter, by its Unicode name; ``None`` for what is no letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "")
    return name.split(" ")[0].split("-")[0] or None


def dominant_script(text: str) -> str | None:
    """The script that most letters of a text are in; ``None`` where there is no letter."""
    counts = Counter(script for script in map(script_of, text) if script)
    return counts.most_common(1)[0][0] if counts else None


def is_right_to_left(text: str) -> bool:
    """Whether the first strong character of a text runs from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False

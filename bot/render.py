"""Makes a message safe to read from right to left. Pure functions.

Phone numbers, links, codes and Latin names inside right-to-left text stand in isolates
(U+2068 … U+2069), and a right-to-left message starts with a strong right-to-left character.
"""

from __future__ import annotations

import re

from content.languages import Languages
from content.messages import Message, Rows
from text.scripts import is_right_to_left

FSI, PDI, RLM = "\u2068", "\u2069", "\u200f"
TELEGRAM_LIMIT = 4096
_ISOLATED = re.compile(
    r"""
    (?:https?://)?[\w.+-]+@[\w-]+\.[\w.-]+\w          # e-mail
    | (?:https?://)?(?:[A-Za-z0-9-]+\.)+[a-z]{2,}(?:/[\w./%-]*\w)?   # link
    | -?\d+\.\d+,[ ]-?\d+\.\d+                        # coordinates, latitude first
    | \d{4}-\d\d-\d\d                                  # dates
    | \d+(?:[.:/,]\d+)+                               # decimals, times
    | \+?\d[\d ]*\d                                    # phone numbers, codes
    | [A-Za-zÀ-ž][\w’'À-ž-]*(?:[ ][A-Za-zÀ-ž0-9][\w’'À-ž-]*)*  # Latin names, several words long
    """,
    re.VERBOSE,
)
# In left-to-right text only phone numbers are marked, so that a page can make them tappable.
_PHONE = re.compile(r"(?<![\w.,])(?:12[1-4]|126[45]|\+\d[\d ]{7,}\d|0\d{2,3}(?: \d{2,3}){2,3})(?!\d|\.\d)")
_STEP = re.compile(r"^\d+\.\s", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?؟۔])\s+|\n+")


def direction_of(language: str, languages: Languages) -> str:
    """``rtl`` or ``ltr``; a language that is not ours reads from left to right."""
    return languages[language].direction if language in languages else "ltr"


def readable(message: Message, languages: Languages) -> str:
    """The text of a message with isolates and a strong start where its language needs them."""
    if direction_of(message.language, languages) != "rtl":
        return _PHONE.sub(lambda match: f"{FSI}{match[0]}{PDI}", message.text)
    text = "\n".join(_isolated_line(line) for line in message.text.split("\n"))
    return text if is_right_to_left(text) else RLM + text


def laid_out(rows: Rows, direction: str) -> Rows:
    """Rows of buttons for the direction: the first button stands where reading begins."""
    return tuple(tuple(reversed(row)) for row in rows) if direction == "rtl" else rows


def split(text: str, limit: int = TELEGRAM_LIMIT) -> list[str]:
    """Parts of a text under a limit of UTF-16 units, cut between sentences, never inside an isolate."""
    parts: list[str] = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def utf16_length(text: str) -> int:
    """How Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def _isolated_line(line: str) -> str:
    """A line of another language's words is isolated whole, in any other line its numbers, links and names."""
    if any(character.isalpha() for character in line) and not any(is_right_to_left(c) for c in line):
        return f"{FSI}{line}{PDI}"
    step = _STEP.match(line)
    start = step.end() if step else 0
    return line[:start] + _ISOLATED.sub(lambda match: f"{FSI}{match[0]}{PDI}", line[start:])


def _cut(text: str, limit: int) -> int:
    """Where to cut: the last sentence end that fits and is outside isolates, else a space, else anywhere."""
    fits = _prefix(text, limit)
    for pattern in (_SENTENCE_END, re.compile(r"\s+")):
        places = [m.end() for m in pattern.finditer(text[:fits]) if _closed(text[: m.end()])]
        if places:
            return places[-1]
    opened = text[:fits].rfind(FSI)
    return opened if opened > 0 and not _closed(text[:fits]) else fits


def _prefix(text: str, limit: int) -> int:
    units = 0
    for place, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > limit:
            return place
    return len(text)


def _closed(text: str) -> bool:
    return text.count(FSI) == text.count(PDI)

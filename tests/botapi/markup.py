"""What Telegram makes of a text: HTML read, odd characters dropped, entities found.

Lengths and offsets are UTF-16 units throughout, as in the Bot API. The order is that of
tdlib: parse the markup, clean the characters, trim, refuse what is empty or too long, then
look for links, commands and phone numbers that nobody marked.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import bad_request
from .parse_html import TAGS, Entity, HtmlParser, broken

GIVEN_TYPES = set(TAGS.values()) | {"expandable_blockquote", "text_mention"}
"""Entity types a caller may give; the others are found in the text and ignored when given."""

# Everything that shows nothing: a text of these alone counts as empty (tdlib, misc.cpp).
INVISIBLE = set(" \n\u00a0\u1680\u180e\u200b\u200c\u200d\u200e\u200f\u202e\u202f\u205f\u2800\u3000\ufeff\ufffc") | {
    chr(code) for code in range(0x2000, 0x200B)
}
# Line and paragraph separators, the embedding and override controls, and three "vertical
# lines" are removed without a word. The isolates U+2066 to U+2069 pass.
REMOVED = {*range(0x2028, 0x202F), 0x0333, 0x033F, 0x030A, 0x0D}
MARKS = {0x200E, 0x200F}


@dataclass(frozen=True)
class Formatted:
    """A text as it is shown, with its entities."""

    text: str
    entities: tuple[Entity, ...] = ()


def utf16_length(text: str) -> int:
    """Length in UTF-16 units: characters beyond U+FFFF count twice."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def format_text(raw: str, *, parse_mode: str, entities: Any, most: int, what: str = "message") -> Formatted:
    """What Telegram stores for `raw`, or 400. An empty `raw` stays empty."""
    text, found = _parsed(raw, parse_mode, entities)
    formatted = _clean(text, found)
    if raw and all(char in INVISIBLE for char in formatted.text):
        raise bad_request("text must be non-empty")
    if utf16_length(formatted.text) > most:
        raise bad_request(f"{what} is too long")
    return Formatted(formatted.text, _with_found(formatted))


def slice_utf16(text: str, offset: int, length: int) -> str:
    """The part of a text an entity covers."""
    raw = text.encode("utf-16-le")
    return raw[2 * offset : 2 * (offset + length)].decode("utf-16-le")


def _parsed(raw: str, parse_mode: str, entities: Any) -> tuple[str, list[Entity]]:
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise bad_request("text must be encoded in UTF-8") from None
    mode = parse_mode.lower()
    if mode == "html":
        return HtmlParser(raw).parse()
    if mode in {"markdown", "markdownv2"}:
        raise broken("this local server reads HTML only")
    if mode:
        raise bad_request("unsupported parse_mode")
    return raw, _given(entities)


def _given(entities: Any) -> list[Entity]:
    if entities is None:
        return []
    if not isinstance(entities, list):
        raise bad_request("expected an Array of MessageEntity")
    for entity in entities:
        if not isinstance(entity, dict) or "type" not in entity:
            raise bad_request("can't parse MessageEntity: Object expected")
        if not all(isinstance(entity.get(key), int) for key in ("offset", "length")):
            raise bad_request("can't parse MessageEntity: Can't find field \"offset\"")
    return [dict(one) for one in entities if one["type"] in GIVEN_TYPES and one["length"] > 0]


# --- cleaning ---------------------------------------------------------------------------


def _clean(text: str, entities: Sequence[Entity]) -> Formatted:
    """Drop and replace characters as tdlib does, trim, and move the entities along."""
    units = array("H", text.encode("utf-16-le"))
    if sys.byteorder == "big":
        units.byteswap()
    _check_bounds(units, entities)
    kept, moved = _kept_units(units)
    _calm_marks(kept)
    lead, end = _trimmed(kept)
    shifted = [_moved(one, moved, kept, lead, end) for one in entities]
    body = array("H", kept[lead:end])
    if sys.byteorder == "big":
        body.byteswap()
    ordered = sorted((one for one in shifted if one), key=lambda e: (e["offset"], -e["length"]))
    return Formatted(body.tobytes().decode("utf-16-le"), tuple(ordered))


def _check_bounds(units: Sequence[int], entities: Sequence[Entity]) -> None:
    for entity in entities:
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if begin < 0 or begin > len(units):
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {begin}")
        named = f"entity beginning at UTF-16 offset {begin} ends "
        if end > len(units):
            raise bad_request(f"{named}after the end of the text at UTF-16 offset {end}")
        for place in (begin, end):
            if place < len(units) and 0xDC00 <= units[place] <= 0xDFFF:
                raise bad_request(f"{named}in a middle of a UTF-16 symbol")


def _kept_units(units: Sequence[int]) -> tuple[list[int], list[int]]:
    """The units that stay, and where each old place is found among them."""
    kept: list[int] = []
    moved: list[int] = []
    for unit in units:
        moved.append(len(kept))
        if unit in REMOVED:
            continue
        kept.append(0x20 if unit < 0x20 and unit != 0x0A else unit)
    moved.append(len(kept))
    return kept, moved


def _calm_marks(units: list[int]) -> None:
    """Of several direction marks in a row only the last stays; the rest turn into ZWNJ."""
    for place in range(len(units) - 1):
        if units[place] in MARKS and units[place + 1] in MARKS:
            units[place] = 0x200C


def _trimmed(units: Sequence[int]) -> tuple[int, int]:
    lead, end = 0, len(units)
    while end > 0 and units[end - 1] in (0x20, 0x0A):
        end -= 1
    while lead < end and units[lead] in (0x20, 0x0A):
        lead += 1
    return lead, end


def _moved(entity: Entity, moved: Sequence[int], units: Sequence[int], lead: int, end: int) -> Entity | None:
    first = moved[entity["offset"]]
    last = min(moved[entity["offset"] + entity["length"]], end)
    while first < last and units[first] in (0x20, 0x0A):
        first += 1
    if first >= last:
        return None
    return {**entity, "offset": first - lead, "length": last - first}


# --- what nobody marked -----------------------------------------------------------------

_EDGE = "\u2066\u2067\u2068\u2069\u200e\u200f"
_FOUND = (
    (
        "url",
        re.compile(rf"(?i)\b(?:https?://|(?:www\.|t\.me/))[^\s<>\"{_EDGE}]*[^\s<>\"{_EDGE}.,;:!?)]"),
    ),
    ("email", re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")),
    (
        "url",
        re.compile(
            r"(?i)(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|org|net|info|int|eu|ba|hr|rs|me|io)"
            rf"(?:/[^\s<>\"{_EDGE}]*)?(?![\w-])"
        ),
    ),
    (
        "bot_command",
        re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    ),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{6,18}\d(?!\w)")),
)


def find_entities(text: str) -> list[Entity]:
    """Links, addresses, commands, names, tags and international numbers in plain text."""
    found: list[tuple[int, int, str]] = []
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            begin, end = match.span()
            if all(end <= other[0] or begin >= other[1] for other in found):
                found.append((begin, end, kind))
    return [_entity(kind, text[:begin], text[begin:end]) for begin, end, kind in sorted(found)]


def _entity(kind: str, before: str, covered: str) -> Entity:
    return {"type": kind, "offset": utf16_length(before), "length": utf16_length(covered)}


def _with_found(formatted: Formatted) -> tuple[Entity, ...]:
    """The given entities and those found where no link or code already is."""
    closed = [e for e in formatted.entities if e["type"] in {"code", "pre", "text_link"}]
    found = [
        one
        for one in find_entities(formatted.text)
        if all(
            one["offset"] + one["length"] <= other["offset"] or one["offset"] >= other["offset"] + other["length"]
            for other in closed
        )
    ]
    merged = [*formatted.entities, *found]
    return tuple(sorted(merged, key=lambda e: (e["offset"], -e["length"])))

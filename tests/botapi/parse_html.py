"""Telegram's own HTML, read with Telegram's complaints: a fixed list of tags and no mercy.

It is written after tdlib's parse_html: four named characters, every tag closed in order, no
stray "<", offsets of faults in bytes of UTF-8 and offsets of entities in UTF-16 units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import ApiError, bad_request

Entity = dict[str, Any]

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
SPACES = " \t\r\n\0\v"


def broken(why: str) -> ApiError:
    """400 for markup that cannot be read."""
    return bad_request(f"can't parse entities: {why}")


@dataclass
class _Open:
    tag: str
    offset: int
    start: int
    values: dict[str, str]


@dataclass
class HtmlParser:
    """One text being read, from left to right."""

    source: str
    pos: int = 0
    length: int = 0
    out: list[str] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def parse(self) -> tuple[str, list[Entity]]:
        """The visible text and its entities, or 400 with the byte offset of the fault."""
        while self.pos < len(self.source):
            if self.source[self.pos] == "<":
                self._tag()
            else:
                self._emit(self._character())
        if self.stack:
            tag = self.stack[-1].tag
            raise broken(f'Can\'t find end tag corresponding to start tag "{tag}"')
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return "".join(self.out), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def _emit(self, char: str) -> None:
        self.out.append(char)
        self.length += 2 if ord(char) > 0xFFFF else 1

    def _character(self) -> str:
        decoded = _reference(self.source, self.pos)
        if decoded is None:
            self.pos += 1
            return self.source[self.pos - 1]
        char, self.pos = decoded
        return char

    def _at(self, pos: int) -> str:
        """What every complaint ends with."""
        return f" at byte offset {len(self.source[:pos].encode())}"

    def _tag(self) -> None:
        begin = self.pos
        if self.source.startswith("</", begin):
            self._end_tag(begin)
        else:
            self._start_tag(begin)

    def _name(self, start: int, stops: str) -> str:
        end = start
        while end < len(self.source) and self.source[end] not in stops:
            end += 1
        self.pos = end
        return self.source[start:end].lower()

    def _start_tag(self, begin: int) -> None:
        name = self._name(begin + 1, SPACES + ">")
        if self.pos >= len(self.source):
            raise broken("Unclosed start tag" + self._at(begin))
        if name not in TAGS:
            raise broken(f'Unsupported start tag "{name}"' + self._at(begin))
        values = dict(self._attributes(name, begin))
        if name == "span" and values.get("class") != "tg-spoiler":
            raise broken('Tag "span" must have class "tg-spoiler"' + self._at(begin))
        self.stack.append(_Open(name, self.length, len(self.out), values))

    def _attributes(self, tag: str, begin: int) -> Iterator[tuple[str, str]]:
        while True:
            self._skip_spaces(begin)
            if self.source[self.pos] == ">":
                self.pos += 1
                return
            name = self._name(self.pos, SPACES + "=>")
            if not name:
                raise broken(f'Empty attribute name in the tag "{tag}"' + self._at(begin))
            self._skip_spaces(begin)
            if self.source[self.pos] != "=":
                yield name, ""
                continue
            self.pos += 1
            self._skip_spaces(begin)
            yield name, self._value(begin)

    def _skip_spaces(self, begin: int) -> None:
        while self.pos < len(self.source) and self.source[self.pos] in SPACES:
            self.pos += 1
        if self.pos >= len(self.source):
            raise broken("Unclosed start tag" + self._at(begin))

    def _value(self, begin: int) -> str:
        quote = self.source[self.pos]
        if quote in "'\"":
            return self._quoted(quote, begin)
        start = self.pos
        while self.pos < len(self.source) and re.match(r"[A-Za-z0-9.-]", self.source[self.pos]):
            self.pos += 1
        if self.pos < len(self.source) and self.source[self.pos] not in SPACES + ">":
            raise broken("Unexpected end of name token" + self._at(start))
        return self.source[start : self.pos].lower()

    def _quoted(self, quote: str, begin: int) -> str:
        self.pos += 1
        value: list[str] = []
        while self.pos < len(self.source) and self.source[self.pos] != quote:
            value.append(self._character())
        self.pos += 1
        if self.pos >= len(self.source):
            raise broken("Unclosed start tag" + self._at(begin))
        return "".join(value)

    def _end_tag(self, begin: int) -> None:
        if not self.stack:
            raise broken("Unexpected end tag" + self._at(begin))
        name = self._name(begin + 2, SPACES + ">")
        while self.pos < len(self.source) and self.source[self.pos] in SPACES:
            self.pos += 1
        if self.pos >= len(self.source) or self.source[self.pos] != ">":
            raise broken("Unclosed end tag" + self._at(begin))
        self.pos += 1
        opened = self.stack.pop()
        if name and name != opened.tag:
            expected = f', expected "</{opened.tag}>", found "</{name}>"'
            raise broken("Unmatched end tag" + self._at(begin) + expected)
        self._close(opened)

    def _close(self, opened: _Open) -> None:
        if self.length == opened.offset:
            return
        entity: Entity = {
            "type": TAGS[opened.tag],
            "offset": opened.offset,
            "length": self.length - opened.offset,
        }
        if self._completed(entity, opened):
            self.entities.append(entity)

    def _completed(self, entity: Entity, opened: _Open) -> bool:
        """Add what the type needs; False where Telegram quietly drops the entity."""
        values = opened.values
        if opened.tag == "a":
            return _link(entity, values.get("href") or "".join(self.out[opened.start :]))
        if opened.tag == "tg-emoji":
            if not values.get("emoji-id", "").isdigit():
                raise bad_request("invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = values["emoji-id"]
        if opened.tag == "blockquote" and "expandable" in values:
            entity["type"] = "expandable_blockquote"
        return not (opened.tag in {"pre", "code"} and self._merged(entity, opened))

    def _merged(self, entity: Entity, opened: _Open) -> bool:
        """<pre><code class="language-x"> is one entity with a language."""
        language = opened.values.get("class", "").removeprefix("language-")
        last = self.entities[-1] if self.entities else {}
        same = all(last.get(key) == entity[key] for key in ("offset", "length"))
        if opened.tag == "pre" and same and last.get("type") == "code" and last.get("language"):
            last["type"] = "pre"
            return True
        if opened.tag == "code" and language:
            inside = bool(self.stack) and self.stack[-1].tag == "pre"
            if inside and self.stack[-1].offset == entity["offset"]:
                entity["language"] = language
        return False


def _reference(source: str, pos: int) -> tuple[str, int] | None:
    """The character that "&...;" at `pos` stands for, and where reading goes on."""
    match = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));?").match(source, pos)
    if match is None:
        return None
    if match[3]:
        return (NAMED[match[3]], match.end()) if match[3] in NAMED else None
    code = int(match[1], 16) if match[1] else int(match[2])
    if not 0 < code < 0x10FFFF or match.end() - pos > 10:
        return None
    if 0xD800 <= code <= 0xDFFF:
        raise broken("Text contains invalid Unicode characters after decoding HTML entities")
    return chr(code), match.end()


def _link(entity: Entity, url: str) -> bool:
    """Make a link of the entity; tel: and mailto: are no links to Telegram."""
    person = re.fullmatch(r"tg://user\?id=(\d+)", url)
    if person:
        entity["type"] = "text_mention"
        entity["user"] = {"id": int(person[1]), "is_bot": False, "first_name": "?"}
        return True
    checked = checked_link(url)
    if checked is None:
        return False
    entity["url"] = checked
    return True


def checked_link(url: str) -> str | None:
    """The address as Telegram keeps it, or None where it is not one."""
    match = re.fullmatch(r"(?:(https?|tg|ton|tonsite)://)?([^\s/?#:@]+)(:\d+)?([/?#]\S*)?", url)
    if match is None or (match[1] in {None, "http", "https"} and "." not in match[2]):
        return None
    bare = match[1] in {"http", "https", None} and not match[4]
    return ("" if match[1] else "http://") + url + ("/" if bare else "")

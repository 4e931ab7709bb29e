"""Word lists that must be answered at once, matched without Rasa.

A list is one YAML file per language, ``content/danger/<code>.yml``, native and romanised words
side by side::

    classes:            # families of words, folded when read
      mine: [mine, mines, landmine*, grenade*]
    topics:
      mines_found:
      - "saw|found @mine"          # in this order, at most two other words between neighbours
      - "@mine + here|front"       # both somewhere in the message, any order
    unless:             # a match is dropped where one of these matches too
      mines_found:
      - "are|is there @mine"
      all:
      - "film|movie|dream*"

A term is a word, ``a|b`` alternatives, ``stem*`` or ``*stem``, or ``@class``. Everything is folded
(:func:`text.normalise.fold`), so one spelling of a word finds all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from text.normalise import fold
from text.tokens import words

_GAP = 2
_EVERY_TOPIC = "all"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DangerListError(Exception):
    """A word list that cannot be read; names the file and the place."""


@dataclass(frozen=True)
class Hit:
    """A danger topic that a list of some language recognised."""

    topic: str
    language: str


@dataclass(frozen=True)
class _Pattern:
    """A compiled pattern: every part must match somewhere in the spaced-out words."""

    parts: tuple[re.Pattern[str], ...]

    def matches(self, spaced: str) -> bool:
        return all(part.search(spaced) for part in self.parts)


@dataclass(frozen=True)
class _WordList:
    language: str
    topics: dict[str, tuple[_Pattern, ...]]
    unless: dict[str, tuple[_Pattern, ...]]

    def hits(self, spaced: str) -> Iterable[Hit]:
        for topic, patterns in self.topics.items():
            if not any(pattern.matches(spaced) for pattern in patterns):
                continue
            vetoes = self.unless.get(topic, ()) + self.unless.get(_EVERY_TOPIC, ())
            if not any(veto.matches(spaced) for veto in vetoes):
                yield Hit(topic, self.language)


class DangerLists:
    """All word lists; ``priority`` orders topics where several match."""

    def __init__(self, lists: list[_WordList], priority: tuple[str, ...]) -> None:
        self._lists = lists
        self._rank = {topic: place for place, topic in enumerate(priority)}

    @classmethod
    def load(cls, folder: Path, codes: Iterable[str], priority: Iterable[str]) -> DangerLists:
        """Read the lists of the given languages; raises :class:`DangerListError`."""
        order = tuple(priority)
        paths = [(code, folder / f"{code}.yml") for code in codes]
        return cls([_read(path, code, order) for code, path in paths if path.is_file()], order)

    def match(self, text: str, languages: Collection[str] | None = None) -> list[Hit]:
        """The danger topics in a message, the first one to be answered first.

        ``languages`` are those that the message may be in: one that is sure, several where a short
        message could be any of them, ``None`` for all. A harmless word of one language can be a cry
        for help in another.
        """
        spaced = spaced_words(text)
        best: dict[str, Hit] = {}
        for word_list in self._lists:
            if languages is not None and word_list.language not in languages:
                continue
            for hit in word_list.hits(spaced):
                best.setdefault(hit.topic, hit)
        return sorted(best.values(), key=lambda hit: self._rank.get(hit.topic, len(self._rank)))


def spaced_words(text: str) -> str:
    """The folded words of a message, each with a space on both sides."""
    return " " + " ".join(words(fold(text))) + " "


def _read(path: Path, code: str, topics: tuple[str, ...]) -> _WordList:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER) or {}  # noqa: S506 - the C twin of SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DangerListError(f"{path.name}: not valid YAML") from error
    classes = {name: _alternatives(members, {}, path) for name, members in _section(data, "classes", path).items()}
    patterns = {
        key: {topic: _compiled(rows, classes, path) for topic, rows in _section(data, key, path).items()}
        for key in ("topics", "unless")
    }
    unknown = sorted((set(patterns["topics"]) | set(patterns["unless"]) - {_EVERY_TOPIC}) - set(topics))
    if unknown:
        raise DangerListError(f"{path.name}: {unknown[0]} is no danger topic")
    return _WordList(language=code, topics=patterns["topics"], unless=patterns["unless"])


def _section(data: Any, key: str, path: Path) -> dict[str, list[Any]]:
    """A part of the file: lists by name. A string would be read letter by letter, and match nearly everything."""
    section = (data.get(key) or {}) if isinstance(data, dict) else data
    if not isinstance(section, dict):
        raise DangerListError(f"{path.name}: expected a mapping of {key}")
    for name, rows in section.items():
        if rows is not None and not isinstance(rows, list):
            raise DangerListError(f"{path.name}: {name} is not a list")
    return {str(name): rows or [] for name, rows in section.items()}


def _compiled(rows: list[Any], classes: dict[str, str], path: Path) -> tuple[_Pattern, ...]:
    return tuple(_pattern(str(row), classes, path) for row in rows)


def _pattern(row: str, classes: dict[str, str], path: Path) -> _Pattern:
    parts = [_sequence(part.split(), classes, path) for part in row.split("+") if part.strip()]
    if not parts:
        raise DangerListError(f"{path.name}: an empty pattern")
    return _Pattern(tuple(parts))


def _sequence(terms: list[str], classes: dict[str, str], path: Path) -> re.Pattern[str]:
    between = rf"(?: \S+){{0,{_GAP}}}"
    return re.compile(between.join(f" {_term(term, classes, path)}(?= )" for term in terms))


def _term(term: str, classes: dict[str, str], path: Path) -> str:
    return _alternatives(term.split("|"), classes, path)


def _alternatives(members: list[Any], classes: dict[str, str], path: Path) -> str:
    return "(?:" + "|".join(_word(str(member), classes, path) for member in members) + ")"


def _word(word: str, classes: dict[str, str], path: Path) -> str:
    if word.startswith("@"):
        if word[1:] not in classes:
            raise DangerListError(f"{path.name}: there is no class {word}")
        return classes[word[1:]]
    core = " ".join(words(fold(word.strip("*"))))
    if not core:
        raise DangerListError(f"{path.name}: {word!r} has no letters")
    before = r"\S*" if word.startswith("*") else ""
    after = r"\S*" if word.endswith("*") else ""
    return before + re.escape(core).replace(r"\ ", " ") + after

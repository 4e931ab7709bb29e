"""The list of languages, read from ``languages.yml``; everything else is derived from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from content.yaml_file import read_yaml

SOURCE_LANGUAGE = "en"


@dataclass(frozen=True)
class Language:
    """One language that a person can choose."""

    code: str
    name: str
    own_name: str
    direction: str
    telegram: tuple[str, ...]
    counts: tuple[int, ...]
    reviewed_by: str | None


class Languages:
    """The languages by code, in the order of the menu."""

    def __init__(self, languages: list[Language]) -> None:
        self._by_code = {language.code: language for language in languages}

    @classmethod
    def load(cls, path: Path) -> Languages:
        """Read the list; raises ``KeyError`` or ``TypeError`` where an entry lacks a field."""
        rows = read_yaml(path)["languages"]
        return cls(
            [Language(**{**row, "telegram": tuple(row["telegram"]), "counts": tuple(row["counts"])}) for row in rows]
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in the order of the menu."""
        return tuple(self._by_code)

    @property
    def translated(self) -> tuple[str, ...]:
        """The codes that have a catalogue, which is all but the source language."""
        return tuple(code for code in self._by_code if code != SOURCE_LANGUAGE)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[Language]:
        return iter(self._by_code.values())

    def __getitem__(self, code: str) -> Language:
        return self._by_code[code]

    def from_telegram(self, tag: str | None) -> str | None:
        """The language behind a Telegram ``language_code`` such as ``fa-IR``; ``None`` if not ours."""
        base = (tag or "").split("-")[0].lower()
        for language in self._by_code.values():
            if base in language.telegram:
                return language.code
        return None

"""Reads training examples and development sets; says what is held out.

Training folders hold either ``<code>_<what>.txt`` ("# topic" lines, then texts; romanised where
``<what>`` holds ``latn``) or Rasa's ``<code>/<area>.yml`` and ``<code>/<area>_latn.yml``.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from text.normalise import fold, light
from text.tokens import words

OUT_OF_SCOPE = "out_of_scope"
_HEADER = re.compile(r"#\s*([a-z_]+)$")
_BULLET = re.compile(r"^[-*•]\s*")
_ROMANISED = "latn"
_HELD_OUT_PARTS = 20


@dataclass(frozen=True)
class Example:
    """One message: its light form, what is right, and where it is from."""

    text: str
    topic: str
    language: str
    romanised: bool
    kind: str = ""

    @property
    def group(self) -> str:
        """The language and script, for tables: ``ar``, ``ar-latn``."""
        return f"{self.language}-{_ROMANISED}" if self.romanised else self.language

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the twentieth that measures; by its text, so that it stays so."""
        digest = hashlib.blake2b(fold(self.text).encode("utf-8"), digest_size=4).digest()
        return int.from_bytes(digest, "big") % _HELD_OUT_PARTS == 0


def make(raw: str, topic: str, language: str, romanised: bool, kind: str = "") -> Example:
    """An example in the form that the encoder reads."""
    return Example(light(raw, None if romanised else language), topic, language, romanised, kind)


def training(folder: Path) -> list[Example]:
    """All examples of a folder, each text once in a language."""
    seen: set[tuple[str, str]] = set()
    found = []
    for example in [*_from_text(folder), *_from_rasa(folder)]:
        key = (example.language, " ".join(words(fold(example.text))))
        if key[1] and key not in seen:
            seen.add(key)
            found.append(example)
    return found


def development(path: Path) -> list[Example]:
    """A development set, ``<code>.tsv`` with topic, script, kind, text."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [make(r["text"], r["topic"], path.stem, r["script"] == _ROMANISED, r["kind"]) for r in rows]


def danger_topics(topics: Path) -> set[str]:
    """The ids of topics marked as danger in ``content/topics.yml``."""
    areas = yaml.safe_load(topics.read_text("utf-8"))["areas"].values()
    return {name for area in areas for name, entry in area.items() if entry.get("danger")}


def _from_text(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.txt")):
        language, topic = path.stem.split("_")[0], ""
        for line in path.read_text("utf-8").splitlines():
            header = _HEADER.match(line.strip())
            if header:
                topic = header[1]
            elif line.strip():
                yield make(_BULLET.sub("", line.strip()), topic, language, _ROMANISED in path.stem)


def _from_rasa(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*/*.yml")):
        for entry in (yaml.safe_load(path.read_text("utf-8")) or {}).get("nlu", ()):
            for line in entry["examples"].splitlines():
                if line.strip().startswith("- "):
                    romanised = path.stem.endswith(_ROMANISED)
                    yield make(line.strip()[2:], entry["intent"], path.parent.name, romanised)

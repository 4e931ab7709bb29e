"""Which language and script each training example is in, by the file it stands in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

EXAMPLES = Path(__file__).resolve().parent / "examples"
ROMANISED = "latn"


def example_files(folder: Path = EXAMPLES) -> list[Path]:
    """Every example file, ``<code>/<area>.yml`` or ``<code>/<area>_latn.yml`` for romanised text."""
    return sorted(folder.glob("*/*.yml"))


def class_of(path: Path) -> str:
    """The language class of a file: ``ar``, ``ar-latn``, …"""
    code = path.parent.name
    return f"{code}-{ROMANISED}" if path.stem.endswith(f"_{ROMANISED}") else code


def read_examples(path: Path) -> dict[str, list[str]]:
    """The examples of a file by intent."""
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER) or {}  # noqa: S506 - the C twin of SafeLoader
    by_intent: dict[str, list[str]] = {}
    for entry in data.get("nlu", ()):
        lines = (line.strip() for line in entry["examples"].splitlines())
        by_intent.setdefault(entry["intent"], []).extend(line[2:].strip() for line in lines if line.startswith("- "))
    return by_intent


@lru_cache(maxsize=1)
def language_classes() -> dict[str, str]:
    """The language class of every example text."""
    return {
        text: class_of(path) for path in example_files() for texts in read_examples(path).values() for text in texts
    }


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

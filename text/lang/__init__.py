"""One folder per language that we speak, as data: adding a language edits no logic.

``LETTERS`` maps letters of a foreign keyboard to the language's own, ``TELLING`` names letters that
give the language away, ``SCRIPT`` is the Unicode name of its writing.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def codes() -> tuple[str, ...]:
    """The languages that we speak, by the folders here."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/__init__.py")))


def letters(code: str) -> dict[str, str]:
    """The spelling table of a language; empty where we have none."""
    table: dict[str, str] = getattr(_module(code), "LETTERS", {})
    return table


def telling(code: str) -> str:
    """Letters that only this language has, among those of its script that we speak."""
    return str(getattr(_module(code), "TELLING", ""))


def script(code: str) -> str:
    """The script that a language is written in."""
    return str(getattr(_module(code), "SCRIPT", ""))


def _module(code: str) -> Any:
    return import_module(f"text.lang.{code}") if code in codes() else None

"""The letters of each language, as data: ``LETTERS`` maps foreign keyboard letters to its own."""

from __future__ import annotations

from importlib import import_module


def letters(code: str) -> dict[str, str]:
    """The spelling table of a language; empty where we have none."""
    try:
        module = import_module(f"text.lang.{code}")
    except ModuleNotFoundError:
        return {}
    table: dict[str, str] = module.LETTERS
    return table

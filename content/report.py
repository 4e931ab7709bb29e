"""How far each translation has come, by language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from content.catalogue import State
from content.languages import Languages
from content.source import SourceString, read_responses, strings
from content.strings import catalogue_path, read, state_label


@dataclass(frozen=True)
class ReportLine:
    """One language: strings in all, missing, fuzzy, and how many are in each state."""

    language: str
    numbers: tuple[int, ...]


def translation_report(root: Path) -> list[ReportLine]:
    """A line per translated language, in the order of the menu."""
    languages = Languages.load(root / "content" / "languages.yml")
    wanted = [s for response in read_responses(root / "domain").values() for s in strings(response)]
    return [_line(root, code, wanted) for code in languages.translated]


def _line(root: Path, code: str, wanted: list[SourceString]) -> ReportLine:
    path = catalogue_path(root / "content" / "locale", code)
    catalogue = read(path, code) if path.is_file() else None
    counts = dict.fromkeys(["missing", "fuzzy", *[state.label for state in State]], 0)
    for string in wanted:
        message = catalogue.get(string.text, string.context) if catalogue is not None else None
        if message is None or not message.string:
            counts["missing"] += 1
        elif message.fuzzy:
            counts["fuzzy"] += 1
        else:
            counts[State.from_label(state_label(message)).label] += 1
    return ReportLine(code, (len(wanted), *counts.values()))

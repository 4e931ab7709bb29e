"""How far the translations have come, counted."""

from __future__ import annotations

from pathlib import Path

from content.report import translation_report
from content.source import read_responses, strings
from settings import ROOT
from tests.factories import LANGUAGES, small_project, translate

RESPONSES = {f"utter_{name}": f"Sentence {name}." for name in "abcd"}
# strings, missing, fuzzy, draft, machine-checked, speaker-signed, expert-approved
NOTHING = (4, 4, 0, 0, 0, 0, 0)


def of(root: Path, code: str) -> tuple[int, ...]:
    return next(line.numbers for line in translation_report(root) if line.language == code)


def entries(names: str) -> dict[tuple[str, str], str]:
    return {(f"utter_{name}", f"Sentence {name}."): f"جمله {name}" for name in names}


def test_a_language_without_catalogue_misses_everything(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    assert [line.language for line in translation_report(root)] == list(LANGUAGES.translated)
    assert of(root, "ps") == NOTHING


def test_each_state_is_counted(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(root, "ur", entries("ab"))
    translate(root, "fa", entries("abc"), state="machine-checked")
    translate(root, "ps", entries("a"), state="speaker-signed 2026-12-01 N. N.")
    translate(root, "ar", entries("abcd"), state="expert-approved")
    assert of(root, "ur") == (4, 2, 0, 2, 0, 0, 0)
    assert of(root, "fa") == (4, 1, 0, 0, 3, 0, 0)
    assert of(root, "ps") == (4, 3, 0, 0, 0, 1, 0)
    assert of(root, "ar") == (4, 0, 0, 0, 0, 0, 4)


def test_fuzzy_counts_as_fuzzy_whoever_signed_it(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(root, "ur", entries("abc"), fuzzy=True, state="speaker-signed")
    assert of(root, "ur") == (4, 1, 3, 0, 0, 0, 0)


def test_an_empty_translation_is_missing(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(root, "ur", {("utter_a", "Sentence a."): ""})
    assert of(root, "ur") == NOTHING


def test_the_numbers_add_up_for_the_real_catalogues() -> None:
    total = sum(1 for response in read_responses(ROOT / "domain").values() for _ in strings(response))
    for line in translation_report(ROOT):
        assert line.numbers[0] == total
        assert sum(line.numbers[1:]) == total

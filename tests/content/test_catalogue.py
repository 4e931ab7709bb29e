"""Every look-up ends in a sentence, whole and in one language."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from content.catalogue import APOLOGY, Catalogue, State, fill
from content.speaker import Speaker
from content.strings import compile_catalogues
from tests.factories import CODES, small_project, translate

FIRST, SECOND = "Ask at the centre.", "It is free."
TWO = {"utter_two": f"{FIRST}\n\n{SECOND}"}


def catalogue(root: Path, responses: dict[str, Any], *translations: tuple[Any, ...], **options: Any) -> Catalogue:
    small_project(root, responses)
    for code, entries in translations:
        translate(root, code, entries, **options)
    return Catalogue.load(root)


def test_the_wanted_language_first(tmp_path: Path) -> None:
    words = {("utter_two", FIRST): "در مرکز بپرسید.", ("utter_two", SECOND): "رایگان است."}
    said = catalogue(tmp_path, TWO, ("fa", words)).say("utter_two", "fa")
    assert (said.text, said.language) == ("در مرکز بپرسید.\n\nرایگان است.", "fa")


def test_then_english(tmp_path: Path) -> None:
    said = catalogue(tmp_path, TWO).say("utter_two", "fa")
    assert (said.text, said.language) == (f"{FIRST}\n\n{SECOND}", "en")


def test_then_an_apology_that_is_logged_by_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = catalogue(tmp_path, TWO).say("utter_nothing", "fa")
    assert (said.text, said.language) == (APOLOGY, "en")
    assert "utter_nothing" in caplog.text


@pytest.mark.parametrize("code", ["fr", "", "ar-latn", "../etc", "EN"])
def test_a_code_that_is_not_ours_is_answered_in_english(tmp_path: Path, code: str) -> None:
    said = catalogue(tmp_path, TWO).say("utter_two", code)
    assert (said.text, said.language) == (f"{FIRST}\n\n{SECOND}", "en")


def test_never_half_in_one_language_and_half_in_another(tmp_path: Path) -> None:
    said = catalogue(tmp_path, TWO, ("fa", {("utter_two", FIRST): "در مرکز بپرسید."})).say("utter_two", "fa")
    assert (said.text, said.language) == (f"{FIRST}\n\n{SECOND}", "en")


def test_fuzzy_is_not_spoken(tmp_path: Path) -> None:
    words = {("utter_two", FIRST): "در مرکز بپرسید.", ("utter_two", SECOND): "رایگان است."}
    said = catalogue(tmp_path, TWO, ("fa", words), fuzzy=True).say("utter_two", "fa")
    assert (said.text, said.language) == (f"{FIRST}\n\n{SECOND}", "en")


def test_a_word_that_is_the_same_in_both_languages_counts_as_translated(tmp_path: Path) -> None:
    said = catalogue(tmp_path, {"utter_name": "Rahnuma"}, ("ur", {("utter_name", "Rahnuma"): "Rahnuma"}))
    assert said.say("utter_name", "ur").language == "ur"


def test_the_same_english_may_differ_by_response(tmp_path: Path) -> None:
    words = {("utter_one", "Back"): "واپس", ("utter_other", "Back"): "پیٹھ"}
    spoken = catalogue(tmp_path, {"utter_one": "Back", "utter_other": "Back"}, ("ur", words))
    assert (spoken.line("utter_one", "ur"), spoken.line("utter_other", "ur")) == ("واپس", "پیٹھ")


def test_rule_7_a_response_has_come_as_far_as_its_least_checked_paragraph(tmp_path: Path) -> None:
    root = small_project(tmp_path, TWO)
    words = {("utter_two", FIRST): "مرکز میں پوچھیں۔", ("utter_two", SECOND): "مفت ہے۔"}
    path = translate(root, "ur", words, state="speaker-signed")
    assert Catalogue.load(root).say("utter_two", "ur").state is State.SPEAKER_SIGNED
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# state: speaker-signed\n", "", 1), encoding="utf-8")
    again = loaded_again(root)
    assert again.say("utter_two", "ur").state is State.DRAFT
    assert again.say("utter_two", "en").state.signed


def loaded_again(root: Path) -> Catalogue:
    """The catalogue as it stands now; of a copy, since gettext remembers a file that it has read."""
    again = root.parent / f"{root.name}-again"
    shutil.copytree(root, again)
    compile_catalogues(again)
    return Catalogue.load(again)


@pytest.mark.parametrize(
    ("label", "state"),
    [
        ("draft", State.DRAFT),
        ("machine-checked", State.MACHINE_CHECKED),
        ("speaker-signed", State.SPEAKER_SIGNED),
        ("expert-approved", State.EXPERT_APPROVED),
        ("signed by my cousin", State.DRAFT),
        ("", State.DRAFT),
    ],
)
def test_rule_7_an_unknown_state_is_a_draft(label: str, state: State) -> None:
    assert State.from_label(label) is state
    assert state.signed is (label in ("speaker-signed", "expert-approved"))


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Checked on {date}.", {"date": "2026-11-23"}, "Checked on 2026-11-23."),
        ("{a} and {b}", {"a": "{b}", "b": "x"}, "{b} and x"),
        ("{language}, {language}", {"language": "اردو"}, "اردو, اردو"),
        ("no braces", {"date": "x"}, "no braces"),
    ],
)
def test_values_fill_placeholders_once(text: str, values: dict[str, str], filled: str) -> None:
    assert fill(text, values) == filled


@pytest.mark.parametrize("values", [{}, {"other": "x"}])
def test_a_placeholder_without_a_value_never_reaches_a_person(tmp_path: Path, values: dict[str, str]) -> None:
    text = catalogue(tmp_path, {"utter_old": "Checked on {date}."}).say("utter_old", "en", values=values).text
    assert text == "Checked on ."


def test_a_site_has_its_own_words_and_others_the_general_ones(tmp_path: Path) -> None:
    rows = [
        {"text": "In Lipa, at the gate.", "condition": [{"type": "slot", "name": "site", "value": "lipa"}]},
        {"text": "At the gate."},
    ]
    spoken = catalogue(tmp_path, {"utter_where": rows})
    assert [spoken.say("utter_where", "en", site=site).text for site in ("lipa", "miral", None)] == [
        "In Lipa, at the gate.",
        "At the gate.",
        "At the gate.",
    ]
    assert [spoken.say("utter_where", "en", site=site).site for site in ("lipa", "miral")] == ["lipa", None]


def test_the_title_of_a_topic_falls_back_to_english_and_then_to_its_id(tmp_path: Path) -> None:
    rows = [{"text": "Yes.", "metadata": {"title": "Where to sleep"}}]
    spoken = catalogue(tmp_path, {"utter_sleep": rows, "utter_plain": "No."}, ("ur", {("utter_sleep", "x"): "y"}))
    assert spoken.title("sleep", "ur") == "Where to sleep"
    assert spoken.title("plain", "ur") == "plain"
    assert spoken.title("not_there", "ur") == "not there"


@pytest.mark.parametrize("code", CODES)
def test_no_line_of_ours_is_empty_or_shows_braces(code: str, speaker: Speaker) -> None:
    catalogue = speaker.catalogue
    for name in catalogue.responses:
        said = catalogue.say(name, code)
        assert said.text.strip(), name
        assert not set("{}") & set(said.text), name
        assert said.language in (code, "en"), name

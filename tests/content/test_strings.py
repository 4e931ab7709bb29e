"""Catalogues follow the English source, and a difference in them is a difference in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract

from content.catalogue import Catalogue
from content.source import read_responses
from content.strings import (
    catalogue_path,
    compile_catalogues,
    extract_domain,
    read,
    state_label,
    template,
    update,
)
from content.yaml_file import SourceError
from settings import ROOT
from tests.factories import LANGUAGES, copied_project, small_project, translate, write_domain

SLEEP = "You can sleep in the centre tonight. Ask the guard at the gate."
SLEEP_CHANGED = "You can sleep in the centre tonight. Ask the staff at the gate."
RESPONSES = {
    "utter_sleep": [
        {
            "text": f"{SLEEP}\n\nBring your paper.",
            "metadata": {"title": "A place to sleep", "note": "Said at night."},
            "buttons": [{"title": "More", "payload": "/more"}],
        }
    ],
    "utter_thanks": "You are welcome.",
}


def apply(root: Path) -> dict[Path, bytes]:
    """What ``make strings`` does; returns what it wrote."""
    written = update(root)
    for path, data in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return written


def entry(root: Path, code: str, context: str, english: str):  # type: ignore[no-untyped-def]
    return read(catalogue_path(root / "content" / "locale", code), code).get(english, context)


def test_titles_paragraphs_and_buttons_are_extracted_with_their_response(tmp_path: Path) -> None:
    pot = template(small_project(tmp_path, RESPONSES) / "domain")
    found = {(message.context, message.id) for message in pot if message.id}
    assert found == {
        ("utter_sleep", "A place to sleep"),
        ("utter_sleep", SLEEP),
        ("utter_sleep", "Bring your paper."),
        ("utter_sleep", "More"),
        ("utter_thanks", "You are welcome."),
    }


def test_a_note_for_translators_stands_beside_the_string(tmp_path: Path) -> None:
    pot = template(small_project(tmp_path, RESPONSES) / "domain")
    assert pot.get(SLEEP, "utter_sleep").auto_comments == ["area: area", "Said at night."]


def test_babel_extracts_the_same_strings(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    with (root / "domain" / "area.yml").open("rb") as handle:
        rows = list(extract(extract_domain, handle, keywords={"pgettext": ((1, "c"), 2)}))
    assert {messages for _, messages, *_ in rows} | {context for *_, context in rows}
    assert {(context, message) for _, message, _, context in rows} == {
        (string.context, string.id) for string in template(root / "domain") if string.id
    }


def test_a_string_that_stands_in_two_wordings_is_translated_once(tmp_path: Path) -> None:
    site = [{"type": "slot", "name": "site", "value": "lipa"}]
    rows = [{"text": "In Lipa.\n\nAsk the staff.", "condition": site}, {"text": "Here.\n\nAsk the staff."}]
    pot = template(small_project(tmp_path, {"utter_where": rows}) / "domain")
    assert sorted(message.id for message in pot if message.id) == ["Ask the staff.", "Here.", "In Lipa."]


def test_rule_7_a_changed_sentence_marks_its_translation_fuzzy_and_keeps_its_state(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(
        root, "ur", {("utter_sleep", SLEEP): "آج رات کیمپ میں سو سکتے ہیں۔"}, state="speaker-signed 2026-12-01 N. N."
    )
    apply(root)
    changed = [{**RESPONSES["utter_sleep"][0], "text": f"{SLEEP_CHANGED}\n\nBring your paper."}]  # type: ignore[dict-item]
    write_domain(root, {**RESPONSES, "utter_sleep": changed})
    apply(root)
    message = entry(root, "ur", "utter_sleep", SLEEP_CHANGED)
    assert message.fuzzy
    assert message.string == "آج رات کیمپ میں سو سکتے ہیں۔"
    assert message.user_comments == ["state: speaker-signed 2026-12-01 N. N."]
    assert entry(root, "ur", "utter_sleep", SLEEP) is None
    compile_catalogues(root)
    assert Catalogue.load(root).lookup("utter_sleep", SLEEP_CHANGED, "ur") is None


def test_what_did_not_change_keeps_words_and_state(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(root, "fa", {("utter_thanks", "You are welcome."): "خواهش می‌کنم."}, state="machine-checked")
    apply(root)
    message = entry(root, "fa", "utter_thanks", "You are welcome.")
    assert (message.string, message.fuzzy, state_label(message)) == ("خواهش می‌کنم.", False, "machine-checked")


def test_new_sentences_come_in_empty_and_removed_ones_go(tmp_path: Path) -> None:
    root = small_project(tmp_path, RESPONSES)
    translate(root, "ps", {("utter_gone", "Goodbye, my friend."): "په مخه مو ښه."})
    apply(root)
    text = catalogue_path(root / "content" / "locale", "ps").read_text(encoding="utf-8")
    assert "utter_gone" not in text
    assert "#~" not in text, "what is out of use is not kept as a comment"
    assert entry(root, "ps", "utter_thanks", "You are welcome.").string == ""


def test_a_second_run_changes_nothing_even_after_a_changed_sentence(tmp_path: Path) -> None:
    """Else the check of `make check` would fail right after `make strings`."""
    root = small_project(tmp_path, RESPONSES)
    translate(root, "ar", {("utter_thanks", "You are welcome."): "أهلا وسهلا بكم دائما."}, state="speaker-signed")
    assert apply(root) == apply(root)
    write_domain(root, {**RESPONSES, "utter_thanks": "You are very welcome."})
    assert apply(root) == apply(root)


def test_the_order_of_files_does_not_depend_on_the_disk(tmp_path: Path) -> None:
    root = small_project(tmp_path / "one", {"utter_a": "A."})
    write_domain(root, {"utter_b": "B."}, area="zebra")
    other = small_project(tmp_path / "two", {})
    write_domain(other, {"utter_b": "B."}, area="zebra")
    write_domain(other, {"utter_a": "A."}, area="area")
    assert [data for _, data in sorted(update(root).items())] == [data for _, data in sorted(update(other).items())]


def test_no_dates_no_people_and_no_line_numbers(tmp_path: Path) -> None:
    for data in apply(small_project(tmp_path, RESPONSES)).values():
        text = data.decode("utf-8")
        assert "Date:" not in text
        assert "Translator" not in text
        assert "Generated-By" not in text
        assert not [line for line in text.splitlines() if line.startswith("#:")]


def test_real_catalogues_are_stable_and_carry_every_language(tmp_path: Path) -> None:
    root = copied_project(tmp_path)
    first = apply(root)
    assert first == apply(root)
    assert {path.parent.parent.name for path in first if path.suffix == ".po"} == set(LANGUAGES.translated)


def test_only_what_may_be_spoken_is_compiled(tmp_path: Path) -> None:
    root = small_project(tmp_path, {"utter_a": "A.", "utter_b": "B."})
    translate(root, "ur", {("utter_a", "A."): "الف۔", ("utter_b", "B."): ""})
    spoken = Catalogue.load(root)
    assert spoken.lookup("utter_a", "A.", "ur") == "الف۔"
    assert spoken.lookup("utter_b", "B.", "ur") is None


def test_a_broken_catalogue_names_its_file(tmp_path: Path) -> None:
    root = small_project(tmp_path, {"utter_a": "A."})
    path = translate(root, "ur", {("utter_a", "A."): "الف۔"})
    path.write_text('msgid "A."\nthis is no catalogue\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"ur/LC_MESSAGES/messages\.po"):
        update(root)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("responses: [", "line 1"),
        ("- a list", "expected a mapping"),
        ("responses: {utter_a: []}", "utter_a"),
        ("responses: {utter_a: [{text: '  '}]}", "utter_a"),
        ("responses: {utter_a: A.}", "utter_a"),
    ],
)
def test_a_domain_file_that_cannot_be_read_names_itself(tmp_path: Path, content: str, says: str) -> None:
    root = small_project(tmp_path, {})
    (root / "domain" / "broken.yml").write_text(content, encoding="utf-8")
    with pytest.raises(SourceError) as error:
        read_responses(root / "domain")
    assert "broken.yml" in str(error.value)
    assert says in str(error.value)


def test_a_response_stands_in_one_file_only(tmp_path: Path) -> None:
    root = small_project(tmp_path, {"utter_a": "A."})
    write_domain(root, {"utter_a": "Another A."}, area="other")
    with pytest.raises(SourceError, match=r"other\.yml: utter_a also stands in area\.yml"):
        read_responses(root / "domain")


def test_the_real_catalogues_can_be_read() -> None:
    for code in LANGUAGES.translated:
        assert len(read(catalogue_path(ROOT / "content" / "locale", code), code)) > 0

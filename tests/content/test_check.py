"""The checker: a copy of the real content, one thing broken in each test, and the problem that names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from babel.messages.catalog import Message

from content.check import Problem, check
from content.source import Response, read_responses, strings
from content.strings import as_text, catalogue_path, read
from tests.factories import LANGUAGES, copied_project

# The newest `checked` date of the content would be a moving target; what is past its date today is
# for `rahnuma content check` to say, and no reason for tests to fail one morning.
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_project(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="module")
def known(pristine: Path) -> list[Problem]:
    """What is wrong with the content as it stands: nothing, says the first test."""
    return check(pristine, TODAY)


@pytest.fixture
def root(pristine: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy to break, with English and one translation only: a check of all takes four times as long."""
    copy = Path(shutil.copytree(pristine, tmp_path / "project"))
    kept = ("en", getattr(request, "param", "ur"))
    path = copy / "content" / "languages.yml"
    rows = [row for row in loaded(path)["languages"] if row["code"] in kept]
    path.write_text(yaml.safe_dump({"languages": rows}, allow_unicode=True), encoding="utf-8")
    return copy


@pytest.fixture
def found(root: Path, known: list[Problem]) -> Callable[..., list[Problem]]:
    """The problems that breaking it brought."""

    def look(today: date = TODAY) -> list[Problem]:
        return [problem for problem in check(root, today) if problem not in known]

    return look


def loaded(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def in_each_translation(**more: str) -> pytest.MarkDecorator:
    """Run for each language on its own, with what ``more`` says for it as a further argument."""
    rows = [(code, code, more[code]) if more else (code, code) for code in LANGUAGES.translated]
    names = ("root", "code", "given") if more else ("root", "code")
    return pytest.mark.parametrize(names, rows, ids=list(LANGUAGES.translated), indirect=["root"])


def test_the_real_content_is_sound(known: list[Problem]) -> None:
    assert [str(problem) for problem in known] == []


def test_a_problem_names_file_response_and_language() -> None:
    problem = Problem("domain/asylum.yml", "utter_asylum_start", "ur", "links differ")
    assert str(problem) == "domain/asylum.yml: utter_asylum_start [ur]: links differ"


# --- translations -------------------------------------------------------------------------------


def translated(root: Path, code: str, name: str, break_it: Callable[[Message], None], containing: str = "") -> Problem:
    """Break one entry of a catalogue; the beginning of the problem that must come of it."""
    path = catalogue_path(root / "content" / "locale", code)
    catalog = read(path, code)
    messages = [m for m in catalog if m.id and m.context == name and containing in m.id and m.string]
    assert messages, f"{name} has no translation into {code} with {containing!r}"
    before = (messages[0].string, messages[0].fuzzy)
    break_it(messages[0])
    assert (messages[0].string, messages[0].fuzzy) != before, "nothing was broken"
    path.write_bytes(as_text(catalog))
    file = read_responses(root / "domain")[name].file.name
    return Problem(f"domain/{file}", name, code, "")


def says(problems: list[Problem], place: Problem, text: str) -> bool:
    return any(
        (problem.file, problem.response, problem.language) == (place.file, place.response, place.language)
        and text in problem.text
        for problem in problems
    )


def emptied(message: Message) -> None:
    message.string = ""


def out_of_date(message: Message) -> None:
    message.flags.add("fuzzy")


def replaced(old: str, new: str) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        message.string = message.string.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    "name",
    [
        "utter_show_mines_found",
        "utter_contact_ambulance",
        "utter_safety_machine",
        "utter_safety_repeat",
        "utter_emergency_line",
    ],
)
def test_a_line_of_a_safety_text_is_missing(root: Path, found: Any, name: str) -> None:
    place = translated(root, "ur", name, emptied)
    assert says(found(), place, "a safety text is missing")


@in_each_translation()
def test_a_safety_text_is_missing(root: Path, found: Any, code: str) -> None:
    place = translated(root, code, "utter_mines_found", emptied)
    assert says(found(), place, "a safety text is missing")


@in_each_translation()
def test_rule_7_a_safety_text_is_fuzzy(root: Path, found: Any, code: str) -> None:
    place = translated(root, code, "utter_protection_kidnap", out_of_date)
    assert says(found(), place, "out of date (fuzzy)")


def test_an_answer_that_is_not_about_safety_may_wait_for_its_translation(root: Path, found: Any) -> None:
    translated(root, "ur", "utter_asylum_work", emptied)
    assert found() == []


@pytest.mark.parametrize("root", ["ps"], indirect=True)
def test_rule_2_a_number_differs(root: Path, found: Any) -> None:
    place = translated(root, "ps", "utter_emergency_line", replaced("124", "125"), "124")
    assert says(found(), place, "numbers differ")


@pytest.mark.parametrize("root", ["fa"], indirect=True)
def test_rule_2_a_number_differs_in_its_own_digits_only(root: Path, found: Any) -> None:
    """۱۲۴ is 124: no problem; ۱۲۵ is."""
    translated(root, "fa", "utter_emergency_line", replaced("124", "۱۲۴"), "124")
    assert found() == []
    place = translated(root, "fa", "utter_emergency_line", replaced("۱۲۴", "۱۲۵"), "124")
    assert says(found(), place, "numbers differ")


@pytest.mark.parametrize("root", ["ar"], indirect=True)
def test_a_phone_number_loses_its_spaces(root: Path, found: Any) -> None:
    place = translated(root, "ar", "utter_person_line", replaced("+387 33 955 200", "+387 33955200"), "+387")
    assert says(found(), place, "phone numbers differ")


def test_a_link_differs(root: Path, found: Any) -> None:
    place = translated(
        root, "ur", "utter_feedback_give", replaced("weareallin.iom.int", "weareallin.iom.org"), "weareallin"
    )
    assert says(found(), place, "links differ")


@pytest.mark.parametrize("root", ["fa"], indirect=True)
def test_a_step_is_lost(root: Path, found: Any) -> None:
    place = translated(root, "fa", "utter_mines_inside", replaced("\n2. ", " "), "2.")
    assert says(found(), place, "steps differ")


@pytest.mark.parametrize("root", ["ar"], indirect=True)
def test_a_placeholder_is_translated(root: Path, found: Any) -> None:
    place = translated(root, "ar", "utter_stale_line", replaced("{date}", "{تاريخ}"), "{date}")
    assert says(found(), place, "placeholders differ")


@in_each_translation(ar=" ١١٢", fa=" ۱۱۲", ps=" 112", ur="112کو")
def test_rule_2_112_stands_in_a_translation(root: Path, found: Any, code: str, given: str) -> None:
    """In any digits, and also where a letter follows without a space, as people type it."""

    def add(message: Message) -> None:
        message.string += given

    place = translated(root, code, "utter_asylum_work", add)
    assert says(found(), place, "forbidden claim: 112")


@in_each_translation()
def test_rule_2_a_number_stands_without_its_country_in_a_translation(root: Path, found: Any, code: str) -> None:
    def only_the_numbers(message: Message) -> None:
        message.string = "124, 122, 121."

    place = translated(root, code, "utter_emergency_line", only_the_numbers)
    assert says(found(), place, "the number 124 stands without its country")


@pytest.mark.parametrize("root", ["ar"], indirect=True)
def test_a_description_is_too_long_for_telegram(root: Path, found: Any) -> None:
    def too_long(message: Message) -> None:
        message.string = "م" * 121

    place = translated(root, "ar", "utter_bot_short_description", too_long)
    assert says(found(), place, "121 characters; at most 120")


@pytest.mark.parametrize("root", ["ps"], indirect=True)
def test_a_catalogue_is_no_catalogue(root: Path, found: Any) -> None:
    path = catalogue_path(root / "content" / "locale", "ps")
    path.write_text("this is no catalogue\n", encoding="utf-8")
    assert any("ps/LC_MESSAGES/messages.po" in str(problem) for problem in found())


# --- the English source -------------------------------------------------------------------------


class Source:
    """A domain file of the copy, to be changed."""

    def __init__(self, root: Path, name: str) -> None:
        response: Response = read_responses(root / "domain")[name]
        self.name = name
        self.path = response.file
        self.data = loaded(self.path)
        self.row = self.data["responses"][name][-1]

    def save(self) -> Problem:
        self.path.write_text(yaml.safe_dump(self.data, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return Problem(f"domain/{self.path.name}", self.name, "en", "")


@pytest.fixture
def source(root: Path) -> Source:
    """An answer that has nothing to do with safety."""
    return Source(root, "utter_asylum_work")


def test_an_answer_has_ninety_words_and_more(source: Source, found: Any) -> None:
    source.row["text"] = " ".join(["word"] * 90)
    place = source.save()
    assert says(found(), place, "90 words; at most 90")


def test_a_safety_text_has_more_than_sixty_words(root: Path, found: Any) -> None:
    source = Source(root, "utter_mines_found")
    source.row["text"] += " more" * 60
    place = source.save()
    assert says(found(), place, "words; at most 60")


def test_a_title_does_not_fit_its_button(source: Source, found: Any) -> None:
    source.row["metadata"]["title"] = "W" * 31
    place = source.save()
    assert says(found(), place, "the title has 31 characters; at most 30")


def test_a_command_is_described_at_length(root: Path, found: Any) -> None:
    source = Source(root, "utter_command_menu")
    source.row["text"] = "w" * 101
    place = source.save()
    assert says(found(), place, "101 characters; at most 100")


@pytest.mark.parametrize(
    "claim",
    [
        "Your message is anonymous.",  # rule 9
        "We guarantee it.",
        "The road is clear of mines.",  # rule 5
        "You have 15 days for an appeal.",
        "An appeal must come within 8 days.",
        "You get 50 euros.",
        "Probe the ground with a stick.",
        "The shortest route to the border.",  # rule 5
        "Call 112 in Bosnia.",  # rule 2
    ],
)
def test_a_claim_that_nobody_may_make(source: Source, found: Any, claim: str) -> None:
    source.row["text"] += f"\n\n{claim}"
    place = source.save()
    assert says(found(), place, "forbidden claim")


@pytest.mark.parametrize("claim", ["There is no guarantee.", "Ask within 15 days.", "It is 50 km to the camp."])
def test_what_is_no_claim_passes(source: Source, found: Any, claim: str) -> None:
    source.row["text"] += f"\n\n{claim}"
    place = source.save()
    assert not says(found(), place, "forbidden claim")


def test_rule_2_one_line_alone_may_say_112(root: Path) -> None:
    lines = [
        response.name
        for response in read_responses(root / "domain").values()
        for string in strings(response)
        if "112" in string.text
    ]
    assert lines == ["utter_safety_croatia"]
    assert "EU country" in read_responses(root / "domain")["utter_safety_croatia"].default.text


@pytest.mark.parametrize("number", ["124", "+387 33 955 200", "0800 222 25", "1265"])
def test_rule_2_a_number_stands_without_its_country(source: Source, found: Any, number: str) -> None:
    source.row["text"] += f"\n\nCall {number}."
    place = source.save()
    assert says(found(), place, f"the number {number} stands without its country")


def test_rule_2_a_number_with_its_country_passes(source: Source, found: Any) -> None:
    source.row["text"] += "\n\nIn Bosnia call 124."
    place = source.save()
    assert not says(found(), place, "stands without its country")


def test_rule_6_an_answer_is_past_its_review(source: Source, found: Any) -> None:
    place = source.save()
    due = date.fromisoformat(str(source.row["metadata"]["review_by"]))
    assert not says(found(due), place, "review_by"), "the day itself is still in time"
    after = date.fromordinal(due.toordinal() + 1)
    assert says(found(after), place, f"past its review_by date {due.isoformat()}")


def test_an_answer_has_no_review_date(source: Source, found: Any) -> None:
    del source.row["metadata"]["review_by"]
    place = source.save()
    assert says(found(), place, "there is no review_by date")


def test_a_topic_has_no_answer(source: Source, found: Any) -> None:
    del source.data["responses"][source.name]
    place = source.save()
    assert says(found(), place, "the topic has no answer")


def test_a_topic_has_no_title(source: Source, found: Any) -> None:
    del source.row["metadata"]["title"]
    place = source.save()
    assert says(found(), place, "no title")


def test_a_source_key_is_unknown(source: Source, found: Any) -> None:
    source.row["metadata"]["sources"] = ["A1", "Wikipedia"]
    place = source.save()
    assert says(found(), place, "unknown source key Wikipedia")


def test_an_answer_has_no_source(source: Source, found: Any) -> None:
    source.row["metadata"]["sources"] = []
    place = source.save()
    assert says(found(), place, "an answer without source")


def test_a_placeholder_stands_where_nobody_fills_it(source: Source, found: Any) -> None:
    source.row["text"] += "\n\nYour code is {receipt}."
    place = source.save()
    assert says(found(), place, "{receipt} would reach the person")


def test_a_domain_file_is_broken(root: Path, found: Any) -> None:
    (root / "domain" / "asylum.yml").write_text("responses: [", encoding="utf-8")
    assert any("asylum.yml line 1: not valid YAML" in str(problem) for problem in found())


@pytest.mark.parametrize(
    "name",
    ["topics.yml", "languages.yml", "sources.yml", "forbidden.yml", "country_names.yml", "danger/contacts.yml"],
)
def test_a_file_of_the_checker_itself_is_broken(root: Path, found: Any, name: str) -> None:
    """One line for an editor, not a traceback, and never "content is sound"."""
    (root / "content" / name).write_text("unreadable: [", encoding="utf-8")
    assert found()


# --- the first-contact table (rule 3) -------------------------------------------------------------


class Table:
    """The contact table of the copy, to be changed."""

    FILE = "content/danger/contacts.yml"

    def __init__(self, root: Path) -> None:
        self.path = root / self.FILE
        self.data = loaded(self.path)

    def save(self) -> None:
        self.path.write_text(yaml.safe_dump(self.data, allow_unicode=True, sort_keys=False), encoding="utf-8")


@pytest.fixture
def table(root: Path) -> Table:
    return Table(root)


def test_rule_3_a_danger_has_nobody_to_contact(table: Table, found: Any) -> None:
    del table.data["topics"]["mines_found"]
    table.save()
    assert says(found(), Problem(Table.FILE, "mines_found", "-", ""), "no first contact")


def test_rule_3_a_danger_has_no_bosnian_sentence(table: Table, found: Any) -> None:
    table.data["topics"]["mines_found"]["show"] = " "
    table.save()
    assert says(found(), Problem(Table.FILE, "mines_found", "-", ""), "no Bosnian sentence")


def test_rule_3_a_contact_says_another_number_than_the_table(table: Table, found: Any) -> None:
    table.data["contacts"]["ambulance"]["number"] = "194"
    table.save()
    assert says(found(), Problem(Table.FILE, "ambulance", "en", ""), "does not say 194")


def test_rule_3_a_contact_has_no_words(table: Table, found: Any) -> None:
    table.data["contacts"]["ambulance"]["response"] = "utter_contact_nobody"
    table.save()
    assert says(found(), Problem(Table.FILE, "ambulance", "en", ""), "utter_contact_nobody is missing")


def test_rule_3_a_topic_names_a_contact_that_is_not_there(table: Table, found: Any) -> None:
    table.data["topics"]["mines_found"]["first"] = ["fire_brigade"]
    table.save()
    assert found()


def test_rule_3_the_bosnian_sentence_has_no_meaning_in_english(root: Path, found: Any) -> None:
    source = Source(root, "utter_show_mines_found")
    del source.data["responses"]["utter_show_mines_found"]
    source.save()
    assert says(found(), Problem(Table.FILE, "mines_found", "en", ""), "utter_show_mines_found is missing")

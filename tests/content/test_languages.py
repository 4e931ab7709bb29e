"""The one list of languages, and what is derived from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from content.languages import SOURCE_LANGUAGE, Languages
from tests.factories import CODES, LANGUAGES
from text.lang import letters
from text.language import OURS


def test_the_identifier_and_the_list_know_the_same_languages() -> None:
    assert sorted(OURS) == sorted(CODES)


@pytest.mark.parametrize("language", list(LANGUAGES), ids=lambda language: language.code)
def test_an_entry_is_whole(language: object) -> None:
    entry = LANGUAGES[language.code]  # type: ignore[attr-defined]
    assert entry.direction in ("rtl", "ltr")
    assert entry.own_name.strip()
    assert entry.code in entry.telegram
    assert entry.counts
    assert isinstance(letters(entry.code), dict)


def test_own_names_and_telegram_codes_belong_to_one_language() -> None:
    names = [language.own_name for language in LANGUAGES]
    tags = [tag for language in LANGUAGES for tag in language.telegram]
    assert len(set(names)) == len(names)
    assert len(set(tags)) == len(tags)


def test_all_but_the_source_are_translated() -> None:
    assert LANGUAGES.translated == tuple(code for code in CODES if code != SOURCE_LANGUAGE)
    assert SOURCE_LANGUAGE in LANGUAGES


def test_rule_31_dari_and_farsi_share_a_catalogue_and_both_see_their_name() -> None:
    assert LANGUAGES.from_telegram("prs") == LANGUAGES.from_telegram("fa") == "fa"
    assert LANGUAGES["fa"].own_name == "فارسی / دری"


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("ur", "ur"),
        ("fa-IR", "fa"),
        ("AR", "ar"),
        ("en-GB", "en"),
        ("ps-AF", "ps"),
        ("fr", None),
        ("arz", None),
        ("", None),
        (None, None),
        ("-", None),
    ],
)
def test_telegrams_tags(tag: str | None, code: str | None) -> None:
    assert LANGUAGES.from_telegram(tag) == code


def test_a_code_that_is_not_in_the_list() -> None:
    assert "fr" not in LANGUAGES
    with pytest.raises(KeyError):
        LANGUAGES["fr"]


def test_the_order_of_the_file_is_the_order_of_the_menu(tmp_path: Path) -> None:
    row = "  - {code: %s, name: X, own_name: X, direction: ltr, telegram: [%s], counts: [0], reviewed_by: null}\n"
    path = tmp_path / "languages.yml"
    path.write_text("languages:\n" + "".join(row % (code, code) for code in ("zz", "aa", "mm")), encoding="utf-8")
    assert Languages.load(path).codes == ("zz", "aa", "mm")


def test_an_entry_without_a_field_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "languages.yml"
    path.write_text("languages:\n- {code: zz, telegram: [zz], counts: [0]}\n", encoding="utf-8")
    with pytest.raises(TypeError):
        Languages.load(path)

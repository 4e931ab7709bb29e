"""Finds what in the content could mislead or hurt somebody. Each problem names file, response, language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from babel.messages.catalog import Catalog

from content.contacts import ContactTable
from content.languages import SOURCE_LANGUAGE, Languages
from content.source import Response, read_responses, strings
from content.strings import catalogue_path, read
from content.topics import TALK_AREA, Topics
from content.yaml_file import SourceError, read_yaml

MAX_ANSWER_WORDS = 90
MAX_STEPS_WORDS = 60
MAX_TITLE = 30
_MAX_CHARACTERS = {"utter_command_": 100, "utter_bot_description": 512, "utter_bot_short_description": 120}

SAFETY_LINE = "safety_line"
_ALWAYS_SAFETY = ("utter_contact_", "utter_show_", "utter_safety_", "utter_emergency_line")

_NUMBERS = re.compile(r"\d+")
_LINKS = re.compile(r"(?:[A-Za-z0-9-]+\.)+(?:org|int|ba|com|net)(?:/[\w./-]*\w)?|[\w.+-]+@[\w.-]+\w")
_PLACEHOLDERS = re.compile(r"\{\w+\}")
_STEPS = re.compile(r"^\d+\.", re.MULTILINE)
_PHONE = re.compile(r"(?<![\d.])(?:12[1-4]|112|126[45]|\+\d[\d ]{7,}\d|0\d{2,3}(?: \d{2,3}){2,3})(?![\d.]\d)")
_BRACED_FILES = ("fallback.yml",)


@dataclass(frozen=True)
class Problem:
    """One thing to mend."""

    file: str
    response: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.response} [{self.language}]: {self.text}"


@dataclass(frozen=True)
class _Content:
    """Everything that the checks look at."""

    root: Path
    today: date
    responses: dict[str, Response]
    topics: Topics
    languages: Languages
    contacts: ContactTable
    sources: frozenset[str]
    catalogues: dict[str, Catalog]

    def is_safety(self, response: Response) -> bool:
        """Whether a person in danger may read it."""
        name = response.name
        dangerous = name.removeprefix("utter_") in self.topics.danger
        return dangerous or name.startswith(_ALWAYS_SAFETY) or response.default.metadata.get("kind") == SAFETY_LINE


def check(root: Path, today: date | None = None) -> list[Problem]:
    """All problems in the content below a project folder; what cannot be read is one of them."""
    try:
        content = _load(root, today or date.today())
        return [problem for run in _CHECKS for problem in run(content)]
    except SourceError as error:
        return [Problem("domain", "-", SOURCE_LANGUAGE, str(error))]
    except (KeyError, TypeError, ValueError, OSError, re.error) as error:
        return [Problem("content", "-", "-", f"cannot be read: {' '.join(str(error).split())[:200]}")]


def _load(root: Path, today: date) -> _Content:
    folder = root / "content"
    languages = Languages.load(folder / "languages.yml")
    paths = {code: catalogue_path(folder / "locale", code) for code in languages.translated}
    return _Content(
        root=root,
        today=today,
        responses=read_responses(root / "domain"),
        topics=Topics.load(folder / "topics.yml"),
        languages=languages,
        contacts=ContactTable.load(folder / "danger" / "contacts.yml"),
        sources=frozenset(read_yaml(folder / "sources.yml")["sources"]),
        catalogues={code: read(path, code) if path.is_file() else Catalog(locale=code) for code, path in paths.items()},
    )


def _topics_have_answers(content: _Content) -> Iterator[Problem]:
    for topic in content.topics:
        response = content.responses.get(f"utter_{topic.id}")
        if response is None:
            yield Problem(f"domain/{topic.area}.yml", f"utter_{topic.id}", SOURCE_LANGUAGE, "the topic has no answer")
        elif not response.default.metadata.get("title"):
            yield _problem(response, SOURCE_LANGUAGE, "there is no title for its button")


def _sources_are_known(content: _Content) -> Iterator[Problem]:
    for response in content.responses.values():
        topic = response.name.removeprefix("utter_")
        for variant in response.variants:
            keys = [str(key) for key in variant.metadata.get("sources") or ()]
            for key in keys:
                if key not in content.sources:
                    yield _problem(response, SOURCE_LANGUAGE, f"unknown source key {key}")
            if topic in content.topics and content.topics[topic].area != TALK_AREA and not keys:
                yield _problem(response, SOURCE_LANGUAGE, "an answer without source")


def _reviews_are_due(content: _Content) -> Iterator[Problem]:
    for response in content.responses.values():
        for variant in response.variants:
            due = str(variant.metadata.get("review_by", ""))
            if due and due < content.today.isoformat():
                yield _problem(response, SOURCE_LANGUAGE, f"past its review_by date {due}")
            if not due and response.name.removeprefix("utter_") in content.topics:
                yield _problem(response, SOURCE_LANGUAGE, "there is no review_by date")


def _lengths(content: _Content) -> Iterator[Problem]:
    for response in content.responses.values():
        limit = MAX_STEPS_WORDS if response.name.removeprefix("utter_") in content.topics.danger else MAX_ANSWER_WORDS
        for variant in response.variants:
            words = len(variant.text.split())
            if words > limit or (limit == MAX_ANSWER_WORDS and words == limit):
                yield _problem(response, SOURCE_LANGUAGE, f"{words} words; at most {limit}")
            title = str(variant.metadata.get("title", ""))
            if len(title) > MAX_TITLE:
                yield _problem(response, SOURCE_LANGUAGE, f"the title has {len(title)} characters; at most {MAX_TITLE}")
        for language, text in _spoken(content, response):
            for start, characters in _MAX_CHARACTERS.items():
                if response.name.startswith(start) and len(text) > characters:
                    yield _problem(response, language, f"{len(text)} characters; at most {characters}")


def _placeholders_have_values(content: _Content) -> Iterator[Problem]:
    for response in content.responses.values():
        if response.file.name not in _BRACED_FILES:
            for variant in response.variants:
                for name in _PLACEHOLDERS.findall(variant.text):
                    yield _problem(response, SOURCE_LANGUAGE, f"{name} would reach the person as it is")


def _contact_table(content: _Content) -> Iterator[Problem]:
    file = "content/danger/contacts.yml"
    for topic in content.topics.danger:
        row = content.contacts.topics.get(topic)
        if row is None or not row.contacts:
            yield Problem(file, topic, "-", "the danger topic has no first contact")
        elif not row.show.strip():
            yield Problem(file, topic, "-", "there is no Bosnian sentence to show")
        for name in (f"utter_show_{topic}",):
            if name not in content.responses:
                yield Problem(file, topic, SOURCE_LANGUAGE, f"{name} is missing")
    for contact in content.contacts.contacts.values():
        response = content.responses.get(contact.response)
        if response is None:
            yield Problem(file, contact.key, SOURCE_LANGUAGE, f"{contact.response} is missing")
        elif contact.number and contact.number not in response.default.text:
            yield Problem(file, contact.key, SOURCE_LANGUAGE, f"{contact.response} does not say {contact.number}")
        for key in contact.sources:
            if key not in content.sources:
                yield Problem(file, contact.key, "-", f"unknown source key {key}")


def _forbidden(content: _Content) -> Iterator[Problem]:
    rules = read_yaml(content.root / "content" / "forbidden.yml")["patterns"]
    for response in content.responses.values():
        for language, text in _spoken(content, response):
            for rule in rules:
                if response.name in rule.get("unless", ()) or language not in rule.get("languages", (language,)):
                    continue
                if re.search(rule["pattern"], _ascii_digits(text), re.IGNORECASE | re.DOTALL):
                    yield _problem(response, language, f"forbidden claim: {rule['reason']}")


def _numbers_have_countries(content: _Content) -> Iterator[Problem]:
    names = read_yaml(content.root / "content" / "country_names.yml")["names"]
    for response in content.responses.values():
        if response.name.startswith("utter_contact_"):
            continue  # these stand under a heading that names the country
        for language, text in _spoken(content, response):
            found = _PHONE.search(_ascii_digits(text))
            if found and not any(name in text for name in names[language]):
                yield _problem(response, language, f"the number {found[0]} stands without its country")


def _translations(content: _Content) -> Iterator[Problem]:
    for code in content.languages.translated:
        catalogue = content.catalogues[code]
        for response in content.responses.values():
            for string in strings(response):
                message = catalogue.get(string.text, string.context)
                translated = str(message.string) if message and message.string else ""
                if content.is_safety(response) and not translated:
                    yield _problem(response, code, f"a safety text is missing: {_short(string.text)}")
                elif content.is_safety(response) and message and message.fuzzy:
                    yield _problem(response, code, f"a safety text is out of date (fuzzy): {_short(string.text)}")
                elif translated and message and not message.fuzzy:
                    yield from _differences(response, code, string.text, translated)


def _differences(response: Response, code: str, english: str, translated: str) -> Iterator[Problem]:
    translated = _ascii_digits(translated)
    for what, pattern in (("links", _LINKS), ("placeholders", _PLACEHOLDERS), ("steps", _STEPS), ("numbers", _NUMBERS)):
        ours, theirs = sorted(pattern.findall(english)), sorted(pattern.findall(translated))
        if ours != theirs:
            yield _problem(response, code, f"{what} differ: {ours} in English, {theirs} here")
    if sorted(_PHONE.findall(english)) != sorted(_PHONE.findall(translated)):
        yield _problem(response, code, "phone numbers differ")


def _spoken(content: _Content, response: Response) -> Iterator[tuple[str, str]]:
    """Each string of a response in each language that has it, fuzzy ones left out."""
    for string in strings(response):
        yield SOURCE_LANGUAGE, string.text
        for code, catalogue in content.catalogues.items():
            message = catalogue.get(string.text, string.context)
            if message and message.string and not message.fuzzy:
                yield code, str(message.string)


def _problem(response: Response, language: str, text: str) -> Problem:
    return Problem(f"domain/{response.file.name}", response.name, language, text)


def _ascii_digits(text: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() else c for c in text)


def _short(text: str) -> str:
    return text.splitlines()[0][:40]


_CHECKS: tuple[Callable[[_Content], Iterator[Problem]], ...] = (
    _topics_have_answers,
    _sources_are_known,
    _reviews_are_due,
    _lengths,
    _placeholders_have_values,
    _contact_table,
    _forbidden,
    _numbers_have_countries,
    _translations,
)

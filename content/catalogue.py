"""Look a response up in a person's language.

Every look-up ends in a sentence: the wanted language, then English, then a plain apology. A
response is never said half in one language and half in another.
"""

from __future__ import annotations

import gettext
import json
import logging
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from content.languages import SOURCE_LANGUAGE, Languages
from content.source import PARAGRAPH_BREAK, Response, Variant, read_responses

logger = logging.getLogger(__name__)

DOMAIN = "messages"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
APOLOGY = "Sorry, I have no words for this. Please ask a person at the centre."


class State(IntEnum):
    """How far a translation has come (docs/translating.md)."""

    DRAFT = 0
    MACHINE_CHECKED = 1
    SPEAKER_SIGNED = 2
    EXPERT_APPROVED = 3

    @property
    def label(self) -> str:
        """The word that stands in catalogues and reports."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_label(cls, label: str) -> State:
        """The state of a label such as ``speaker-signed``; an unknown one is a draft."""
        return next((state for state in cls if state.label == label), cls.DRAFT)

    @property
    def signed(self) -> bool:
        """Whether a speaker stands behind it."""
        return self >= State.SPEAKER_SIGNED


@dataclass(frozen=True)
class Said:
    """A response in words: the text, its language and how far the translation has come."""

    response: str
    text: str
    language: str
    state: State
    metadata: dict[str, Any]
    site: str | None = None


class Catalogue:
    """Responses in all languages, from domain files and compiled catalogues."""

    def __init__(
        self,
        *,
        responses: dict[str, Response],
        languages: Languages,
        translations: dict[str, gettext.NullTranslations],
        states: dict[str, dict[str, str]],
    ) -> None:
        self.responses = responses
        self.languages = languages
        self._translations = translations
        self._states = states

    @classmethod
    def load(cls, root: Path) -> Catalogue:
        """Read everything below a project folder; a language without catalogue speaks English."""
        languages = Languages.load(root / "content" / "languages.yml")
        locale = root / "content" / "locale"
        return cls(
            responses=read_responses(root / "domain"),
            languages=languages,
            translations={code: _translation(locale, code) for code in languages.translated},
            states={code: _states(locale, code) for code in languages.translated},
        )

    def say(self, name: str, language: str, *, site: str | None = None, values: dict[str, str] | None = None) -> Said:
        """The response in words; ``values`` fill ``{placeholders}``."""
        response = self.responses.get(name)
        if response is None:
            logger.error("no response named %s", name)
            return Said(name, APOLOGY, SOURCE_LANGUAGE, State.EXPERT_APPROVED, {})
        variant = response.variant(site)
        paragraphs, spoken, state = self._paragraphs(name, variant, language)
        text = fill(PARAGRAPH_BREAK.join(paragraphs), values or {})
        return Said(name, text, spoken, state, variant.metadata, variant.site)

    def line(self, name: str, language: str, /, **values: str) -> str:
        """Just the words of a response."""
        return self.say(name, language, values=values).text

    def title(self, topic: str, language: str) -> str:
        """What a button for a topic says."""
        name = f"utter_{topic}"
        response = self.responses.get(name)
        english = str(response.default.metadata.get("title", "")) if response else ""
        return (self.lookup(name, english, language) or english) if english else topic.replace("_", " ")

    def lookup(self, context: str, english: str, language: str) -> str | None:
        """The translation of one English string, or ``None`` where there is none."""
        if language == SOURCE_LANGUAGE:
            return english
        translation = self._translations.get(language)
        if translation is None:
            return None
        found = translation.pgettext(context, english)
        key_is_known = f"{context}\x04{english}" in getattr(translation, "_catalog", {})
        return found if key_is_known else None

    def state(self, context: str, english: str, language: str) -> State:
        """How far the translation of one string has come."""
        if language == SOURCE_LANGUAGE:
            return State.EXPERT_APPROVED
        return State.from_label(self._states.get(language, {}).get(state_key(context, english), "draft"))

    def _paragraphs(self, name: str, variant: Variant, language: str) -> tuple[list[str], str, State]:
        english = variant.paragraphs
        words = [self.lookup(name, paragraph, language) for paragraph in english]
        if language not in self.languages or any(word is None for word in words):
            return english, SOURCE_LANGUAGE, State.EXPERT_APPROVED
        state = min((self.state(name, paragraph, language) for paragraph in english), default=State.DRAFT)
        return [word for word in words if word is not None], language, state


def fill(text: str, values: dict[str, str]) -> str:
    """Put values into ``{placeholders}``; a placeholder without a value becomes empty, never braces."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)


def state_key(context: str, english: str) -> str:
    """The key of a string in the compiled table of states."""
    return f"{context}\x04{english}"


def _translation(locale: Path, code: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, localedir=str(locale), languages=[code], fallback=True)


def _states(locale: Path, code: str) -> dict[str, str]:
    path = locale / code / "LC_MESSAGES" / f"{DOMAIN}.states.json"
    if not path.is_file():
        return {}
    states: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return states

"""Reads a message: danger lists and language here in the gateway, topics from Rasa."""

from __future__ import annotations

import logging
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.decide import DEFAULT_THRESHOLDS, Ranking, Thresholds, Verdict, decide
from content.topics import Topics
from text.danger import DangerLists, Hit
from text.language import OURS, Identified, LanguageModel, identify_by_letters
from text.normalise import light

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 2_000
_LISTED_CHARACTERS = 4_096  # a whole message of Telegram: a danger may stand at the end of a long one
_LANGUAGE_MEMBER = "language.npz"


@dataclass(frozen=True)
class Reading:
    """What the gateway sees by itself: lists and language."""

    text: str
    hits: tuple[Hit, ...]
    identified: Identified
    letters: int


class Reader:
    """The part of understanding that works without Rasa."""

    def __init__(
        self,
        *,
        lists: DangerLists,
        danger_topics: Iterable[str],
        language_model: LanguageModel | None,
        thresholds: Thresholds = DEFAULT_THRESHOLDS,
    ) -> None:
        self._lists = lists
        self._danger_topics = frozenset(danger_topics)
        self._language_model = language_model
        self._thresholds = thresholds

    @classmethod
    def load(cls, root: Path, topics: Topics, model: Path | None) -> Reader:
        """Read the lists, and the language model out of a trained model if there is one."""
        lists = DangerLists.load(root / "content" / "danger", OURS, topics.danger)
        return cls(lists=lists, danger_topics=topics.danger, language_model=language_model_of(model))

    def read(self, text: str) -> Reading:
        """Lists and language of a message."""
        clipped = text[:MAX_CHARACTERS]
        identified = self._language_model.identify(clipped) if self._language_model else identify_by_letters(clipped)
        hits = tuple(self._lists.match(text[:_LISTED_CHARACTERS], identified.candidates))
        return Reading(clipped, hits, identified, sum(c.isalpha() for c in light(clipped)))

    def verdict(self, reading: Reading, ranking: Ranking) -> Verdict:
        """The decision, with the model's ranking (empty where Rasa is away)."""
        return decide(
            hits=reading.hits,
            identified=reading.identified,
            ranking=ranking,
            danger_topics=self._danger_topics,
            thresholds=self._thresholds,
        )


def for_the_parser(text: str) -> str:
    """What Rasa is given to understand: a leading slash would be read as a command."""
    return text[:MAX_CHARACTERS].replace("\x00", " ").lstrip(" /\u200f\u200e").strip()


def language_model_of(model: Path | None) -> LanguageModel | None:
    """The language model that lies in a Rasa model archive; ``None`` where there is none."""
    if model is None or not model.is_file():
        return None
    try:
        with tarfile.open(model) as archive:
            member = next((m for m in archive if m.name.endswith(_LANGUAGE_MEMBER)), None)
            handle = archive.extractfile(member) if member else None
            return LanguageModel.from_bytes(handle.read()) if handle else None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        logger.warning("no language model in %s: %s", model.name, type(error).__name__)
        return None

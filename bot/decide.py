"""What the bot does with a message: the one decision, as a pure function.

``rahnuma evaluate`` and the running gateway both call :func:`decide`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from content.topics import OUT_OF_SCOPE
from text.danger import Hit
from text.language import OURS, UNDETERMINED, Identified

FALLBACK_INTENT = "nlu_fallback"


class Decision(StrEnum):
    """Answer the topic; offer three guesses; say that this is out of scope."""

    ANSWER = "answer"
    OFFER = "offer"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Thresholds:
    """Probabilities at which the bot commits itself; measured in docs/understanding.md."""

    answer: float = 0.45
    refuse: float = 0.20
    danger: float = 0.40
    danger_topic: float = 0.15
    foreign: float = 0.80


DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Verdict:
    """The decision with everything that led to it."""

    language: str
    ranking: tuple[str, ...]
    confidence: float
    danger_topic: str | None
    decision: Decision

    @property
    def topic(self) -> str:
        """The danger topic if there is danger, else the first of the ranking."""
        return self.ranking[0]

    @property
    def guesses(self) -> tuple[str, ...]:
        """The topics to offer: the first three that are topics."""
        return tuple(topic for topic in self.ranking if topic != OUT_OF_SCOPE)[:3]


Ranking = Sequence[tuple[str, float]]


def decide(
    *,
    hits: Sequence[Hit],
    identified: Identified,
    ranking: Ranking,
    danger_topics: frozenset[str],
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Verdict:
    """Decide what to do with a message.

    ``ranking`` is the model's, best first, and may be empty (no words, or no model within reach).
    Danger wins over everything: by word lists, or where the danger topics together are probable
    enough. A language that we do not speak is refused unless there is danger.
    """
    ranked = [(name, value) for name, value in ranking if name != FALLBACK_INTENT]
    danger_topic = _danger_topic(hits, ranked, danger_topics, thresholds)
    if danger_topic:
        return _verdict(identified, ranked, danger_topic, Decision.ANSWER, danger=True)
    if not ranked or _foreign(identified, thresholds):
        return _verdict(identified, ranked, OUT_OF_SCOPE, Decision.REFUSE)
    top, probability = ranked[0]
    if top == OUT_OF_SCOPE:
        decision = Decision.REFUSE if probability >= thresholds.refuse else Decision.OFFER
    else:
        decision = Decision.ANSWER if probability >= thresholds.answer else Decision.OFFER
    return _verdict(identified, ranked, top, decision)


def _danger_topic(
    hits: Sequence[Hit], ranked: Ranking, danger_topics: frozenset[str], thresholds: Thresholds
) -> str | None:
    """The danger topic to answer: the lists say *that*, and the model may say better *which*."""
    dangers = [(name, value) for name, value in ranked if name in danger_topics]
    total = sum(value for _, value in dangers)
    if not hits and total < thresholds.danger:
        return None
    listed = {hit.topic for hit in hits}
    if not hits:
        return dangers[0][0]
    if dangers and dangers[0][1] >= thresholds.danger_topic and (dangers[0][0] in listed or total >= thresholds.danger):
        return dangers[0][0]
    return hits[0].topic


def _foreign(identified: Identified, thresholds: Thresholds) -> bool:
    if identified.ours or identified.language == UNDETERMINED:
        return False
    return identified.probability >= thresholds.foreign


def _verdict(
    identified: Identified, ranked: Ranking, topic: str, decision: Decision, *, danger: bool = False
) -> Verdict:
    probabilities = dict(ranked)
    order = [topic, *[name for name, _ in ranked if name != topic]]
    language = identified.language if identified.language in OURS or identified.script else UNDETERMINED
    return Verdict(
        language=language,
        ranking=tuple(order),
        confidence=probabilities.get(topic, 0.0 if ranked else 1.0),
        danger_topic=topic if danger else None,
        decision=decision,
    )

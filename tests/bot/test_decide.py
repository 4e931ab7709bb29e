"""The one decision, as tables: what was recognised on the left, what the bot does on the right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide import FALLBACK_INTENT, Decision, Thresholds, Verdict, decide
from content.topics import OUT_OF_SCOPE
from tests.factories import thorough
from text.danger import Hit
from text.language import Identified

DANGER = frozenset({"mines_found", "emergency_help", "protection_kidnap"})
# Of our own, so that measuring better ones anew breaks nothing here.
THRESHOLDS = Thresholds(answer=0.40, refuse=0.50, danger=0.35, danger_topic=0.15, foreign=0.80)
URDU = Identified("ur", 0.95, "ARABIC")
FRENCH = Identified("fr", 0.95, "LATIN")
PERHAPS_FRENCH = Identified("fr", 0.6, "LATIN")
NOTHING = Identified("und", 0.0, None)
UNKNOWN_SCRIPT = Identified("und", 1.0, "TIBETAN")
MINES = Hit("mines_found", "ur")
KIDNAP = Hit("protection_kidnap", "ur")

Row = list[tuple[str, float]]


def verdict(ranking: Row, *hits: Hit, identified: Identified = URDU, thresholds: Thresholds = THRESHOLDS) -> Verdict:
    return decide(
        hits=hits,
        identified=identified,
        ranking=ranking,
        danger_topics=DANGER,
        thresholds=thresholds,
    )


@pytest.mark.parametrize(
    ("ranking", "decision", "topic"),
    [
        ([("asylum_work", 0.9), ("asylum_start", 0.05)], Decision.ANSWER, "asylum_work"),
        ([("asylum_work", 0.40), ("asylum_start", 0.3)], Decision.ANSWER, "asylum_work"),
        ([("asylum_work", 0.39), ("asylum_start", 0.3)], Decision.OFFER, "asylum_work"),
        ([(OUT_OF_SCOPE, 0.9), ("asylum_work", 0.05)], Decision.REFUSE, OUT_OF_SCOPE),
        ([(OUT_OF_SCOPE, 0.50), ("asylum_work", 0.2)], Decision.REFUSE, OUT_OF_SCOPE),
        ([(OUT_OF_SCOPE, 0.49), ("asylum_work", 0.2)], Decision.OFFER, OUT_OF_SCOPE),
        ([(FALLBACK_INTENT, 0.99), ("asylum_work", 0.6)], Decision.ANSWER, "asylum_work"),
        ([], Decision.REFUSE, OUT_OF_SCOPE),
        ([(FALLBACK_INTENT, 1.0)], Decision.REFUSE, OUT_OF_SCOPE),
    ],
)
def test_without_danger(ranking: Row, decision: Decision, topic: str) -> None:
    found = verdict(ranking)
    assert (found.decision, found.topic, found.danger_topic) == (decision, topic, None)


@pytest.mark.parametrize(
    ("why", "ranking", "hits", "topic"),
    [
        ("a list alone, the model away", [], [MINES], "mines_found"),
        ("a list alone, the model of another mind", [("asylum_work", 0.99)], [MINES], "mines_found"),
        ("two lists: the first in the order", [], [MINES, KIDNAP], "mines_found"),
        ("the model alone", [("mines_found", 0.9), ("asylum_work", 0.05)], [], "mines_found"),
        ("the model, just", [("asylum_work", 0.6), ("mines_found", 0.35)], [], "mines_found"),
        (
            "several dangers together",
            [("asylum_work", 0.6), ("mines_found", 0.2), ("emergency_help", 0.2)],
            [],
            "mines_found",
        ),
        ("the model says better which", [("protection_kidnap", 0.5)], [MINES], "protection_kidnap"),
        (
            "a second hit that the model finds likelier",
            [("protection_kidnap", 0.2)],
            [MINES, KIDNAP],
            "protection_kidnap",
        ),
        ("a whisper of the model is not enough", [("protection_kidnap", 0.2)], [MINES], "mines_found"),
        ("out of scope does not hide a list", [(OUT_OF_SCOPE, 0.99)], [KIDNAP], "protection_kidnap"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_danger_is_answered_first(why: str, ranking: Row, hits: list[Hit], topic: str) -> None:
    found = verdict(ranking, *hits)
    assert (found.danger_topic, found.topic, found.decision) == (topic, topic, Decision.ANSWER)


@pytest.mark.parametrize(
    "ranking", [[("asylum_work", 0.6), ("mines_found", 0.34)], [("asylum_work", 0.9)], [(OUT_OF_SCOPE, 0.7)], []]
)
def test_little_danger_is_none(ranking: Row) -> None:
    assert verdict(ranking).danger_topic is None


@pytest.mark.parametrize("identified", [FRENCH, UNKNOWN_SCRIPT, NOTHING, PERHAPS_FRENCH])
def test_danger_is_answered_in_every_language(identified: Identified) -> None:
    assert verdict([("asylum_work", 0.9)], MINES, identified=identified).danger_topic == "mines_found"
    assert verdict([("mines_found", 0.9)], identified=identified).danger_topic == "mines_found"


@pytest.mark.parametrize(
    ("identified", "decision", "language"),
    [
        (FRENCH, Decision.REFUSE, "fr"),
        (Identified("fr", 0.80, "LATIN"), Decision.REFUSE, "fr"),
        (PERHAPS_FRENCH, Decision.ANSWER, "fr"),
        (UNKNOWN_SCRIPT, Decision.ANSWER, "und"),
        (NOTHING, Decision.ANSWER, "und"),
        (URDU, Decision.ANSWER, "ur"),
        (Identified("ur", 0.3, "LATIN", romanised=True), Decision.ANSWER, "ur"),
    ],
)
def test_rule_31_a_language_that_we_do_not_speak_is_refused_once_it_is_clear(
    identified: Identified, decision: Decision, language: str
) -> None:
    found = verdict([("asylum_work", 0.9)], identified=identified)
    assert (found.decision, found.language) == (decision, language)
    assert found.topic == ("asylum_work" if decision is Decision.ANSWER else OUT_OF_SCOPE)


def test_an_empty_message_is_undetermined_out_of_scope_and_refused() -> None:
    found = verdict([], identified=NOTHING)
    assert (found.language, found.topic, found.decision) == ("und", OUT_OF_SCOPE, Decision.REFUSE)


def test_the_confidence_is_that_of_the_topic_that_is_answered() -> None:
    ranking = [("asylum_work", 0.6), ("mines_found", 0.38), (OUT_OF_SCOPE, 0.02)]
    assert verdict(ranking).confidence == 0.38
    assert verdict(ranking, KIDNAP).confidence == 0.38, "the model knows better which danger"
    assert verdict([("asylum_work", 0.6), (OUT_OF_SCOPE, 0.4)], identified=FRENCH).confidence == 0.4
    assert verdict([("asylum_work", 0.6)]).confidence == 0.6


@pytest.mark.parametrize(
    ("ranking", "guesses"),
    [
        ([("a", 0.3), ("b", 0.2), ("c", 0.1), ("d", 0.05)], ("a", "b", "c")),
        ([(OUT_OF_SCOPE, 0.3), ("a", 0.2), ("b", 0.1), ("c", 0.05)], ("a", "b", "c")),
        ([("a", 0.3), (OUT_OF_SCOPE, 0.2)], ("a",)),
        ([(OUT_OF_SCOPE, 0.3)], ()),
    ],
)
def test_guesses_are_topics(ranking: Row, guesses: tuple[str, ...]) -> None:
    assert verdict(ranking).guesses == guesses


def test_thresholds_can_be_set() -> None:
    strict = Thresholds(answer=0.95, refuse=0.95, danger=0.95)
    assert verdict([("asylum_work", 0.9)], thresholds=strict).decision is Decision.OFFER
    assert verdict([("mines_found", 0.9)], thresholds=strict).danger_topic is None


RANKINGS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", OUT_OF_SCOPE, FALLBACK_INTENT, *sorted(DANGER)]), st.floats(0, 1)),
    max_size=8,
    unique_by=lambda row: row[0],
).map(lambda rows: sorted(rows, key=lambda row: -row[1]))
HITS = st.lists(st.sampled_from([MINES, KIDNAP, Hit("emergency_help", "en")]), max_size=3, unique=True)
LANGUAGES = st.sampled_from([URDU, FRENCH, PERHAPS_FRENCH, NOTHING, UNKNOWN_SCRIPT])


@thorough
@given(RANKINGS, HITS, LANGUAGES)
def test_whatever_comes_in(ranking: Row, hits: list[Hit], identified: Identified) -> None:
    found = verdict(ranking, *hits, identified=identified)
    assert found.topic
    assert FALLBACK_INTENT not in found.ranking
    assert len(set(found.ranking)) == len(found.ranking)
    assert 0.0 <= found.confidence <= 1.0
    assert len(found.guesses) <= 3
    if hits:
        assert found.danger_topic, "what a list recognised is never dropped"
    if found.danger_topic:
        assert found.decision is Decision.ANSWER
        assert found.danger_topic in DANGER
        assert found.topic == found.danger_topic
    elif found.decision is Decision.ANSWER:
        assert found.topic not in (OUT_OF_SCOPE, "")

"""The development sets: complete, and of messages that no example gives away."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.quality import CODES, DANGER, SETS, TOPICS, read_set
from content.topics import OUT_OF_SCOPE
from nlu.examples_index import example_files, read_examples
from text.normalise import fold
from text.tokens import words


def fingerprint(text: str) -> tuple[str, ...]:
    """The words of a message, folded, in any order: near duplicates share it."""
    return tuple(sorted(words(fold(text))))


@pytest.fixture(scope="module")
def learned() -> set[tuple[str, ...]]:
    """The fingerprints of all training examples."""
    return {fingerprint(t) for path in example_files() for texts in read_examples(path).values() for t in texts}


@pytest.mark.parametrize("code", CODES)
def test_no_message_is_a_training_example(code: str, learned: set[tuple[str, ...]]) -> None:
    rows = read_set(SETS / f"{code}.tsv")
    assert [row["text"] for row in rows if fingerprint(row["text"]) in learned] == []


@pytest.mark.parametrize("code", CODES)
def test_a_set_is_large_enough_and_covers_every_topic(code: str) -> None:
    rows = read_set(SETS / f"{code}.tsv")
    counts = Counter(row["topic"] for row in rows)
    assert set(counts) == {OUT_OF_SCOPE, *(topic.id for topic in TOPICS)}
    assert {row["script"] for row in rows} <= {"native", "latn"}
    assert len({row["text"] for row in rows}) == len(rows)
    assert sum(counts[topic] for topic in DANGER) >= 130
    assert counts[OUT_OF_SCOPE] >= 40
    assert len(rows) >= 400

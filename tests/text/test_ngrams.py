"""Hashed n-grams: the same on every machine, of length one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import thorough
from text.ngrams import Sparse, hashed

WORDS = st.lists(st.text(min_size=1, max_size=8), max_size=6)


def _row(*words: str, buckets: int = 1 << 16) -> Sparse:
    return hashed(words, shortest=2, longest=4, buckets=buckets)


def _likeness(one: Sparse, other: Sparse) -> float:
    left = dict(zip(one[0].tolist(), one[1].tolist()))
    return sum(value * left.get(place, 0.0) for place, value in zip(other[0].tolist(), other[1].tolist()))


@thorough
@given(WORDS)
def test_a_row_has_length_one_and_stays_in_its_buckets(words: list[str]) -> None:
    places, values = _row(*words, buckets=512)
    assert len(places) == len(values)
    assert len(set(places.tolist())) == len(places)
    assert all(0 <= place < 512 for place in places.tolist())
    assert np.linalg.norm(values) == pytest.approx(1.0 if words else 0.0, abs=1e-5)


def test_the_order_of_words_does_not_matter() -> None:
    assert _likeness(_row("salam", "khubi"), _row("khubi", "salam")) == pytest.approx(1.0)


def test_a_typo_is_nearer_than_another_word() -> None:
    word = _row("passport")
    assert _likeness(word, _row("pasport")) > 0.5 > _likeness(word, _row("doctor"))


def test_a_whole_word_counts_beyond_its_pieces() -> None:
    """ "aaaa" and "aaaaa" share every piece of up to four letters, yet are not the same word."""
    assert _likeness(_row("aaaa"), _row("aaaaa")) < 1.0


def test_buckets_do_not_depend_on_the_process() -> None:
    """A stored model is of no use where Python's hash seed would move its weights."""
    places, _ = hashed(["ab"], shortest=2, longest=2, buckets=1 << 16)
    assert sorted(places.tolist()) == [13291, 18541, 62787, 65291]

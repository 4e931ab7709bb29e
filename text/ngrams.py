"""Hashed character n-grams of words, as sparse rows of length one. Numpy only."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Sparse = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def hashed(words: Iterable[str], *, shortest: int, longest: int, buckets: int) -> Sparse:
    """Buckets and values of the n-grams within words, and of the whole words.

    Values are square roots of counts, scaled so that a row has length one. CRC-32 spreads grams
    over the buckets: the same on every machine, unlike Python's own hash.
    """
    counts: dict[int, int] = {}
    for word in words:
        for gram in _grams(word, shortest, longest):
            bucket = zlib.crc32(gram.encode("utf-8")) % buckets
            counts[bucket] = counts.get(bucket, 0) + 1
    places = np.fromiter(counts, dtype=np.int64, count=len(counts))
    values = np.sqrt(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
    norm = float(np.linalg.norm(values)) or 1.0
    return places, (values / norm).astype(np.float32)


def _grams(word: str, shortest: int, longest: int) -> list[str]:
    padded = f"^{word}$"
    grams = [padded[i : i + n] for n in range(shortest, longest + 1) for i in range(len(padded) - n + 1)]
    return [*grams, f"={word}"]

"""The linear model behind the topic classifier: embeddings beside character n-grams, calibrated.

Two class-balanced logistic regressions, one over sentence embeddings and one over hashed character
n-grams; their scores are added with a weight, and one temperature, fitted on examples held out,
turns them into probabilities that mean what they say.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from text.ngrams import Sparse, hashed
from text.normalise import fold
from text.tokens import words

Matrix = npt.NDArray[np.float32]

BUCKETS = 1 << 15
_SHORTEST, _LONGEST = 2, 4
_TOLERANCE = 1e-5  # a coarser one stops before the first step where there are many classes
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Knobs:
    """What training can be told."""

    dense_c: float = 0.01
    ngram_c: float = 8.0
    ngram_weight: float = 1.5
    held_out: float = 0.1
    max_iterations: int = 60
    seed: int = 7


DEFAULT_KNOBS = Knobs()


@dataclass(frozen=True)
class LinearTopics:
    """The trained model; ``classes`` are topic ids and ``out_of_scope``."""

    classes: tuple[str, ...]
    dense: Matrix
    dense_bias: Matrix
    ngram: Matrix
    ngram_bias: Matrix
    ngram_weight: float
    temperature: float

    def probabilities(self, embedding: Matrix, text: str) -> Matrix:
        """The probability of each class for one message."""
        buckets, values = ngrams(text)
        ngram_scores = self.ngram_bias + values @ self.ngram[buckets] if len(buckets) else self.ngram_bias
        scores = embedding @ self.dense + self.dense_bias + self.ngram_weight * ngram_scores
        return softmax(scores[None, :] / self.temperature)[0]

    def to_bytes(self) -> bytes:
        """The model as a file; weights in half precision, which costs nothing measurable."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            classes=np.array(self.classes),
            dense=self.dense.astype(np.float16),
            dense_bias=self.dense_bias,
            ngram=self.ngram.astype(np.float16),
            ngram_bias=self.ngram_bias,
            knobs=np.array([self.ngram_weight, self.temperature]),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> LinearTopics:
        """The model of a file; raises ``ValueError`` or ``KeyError`` where it is not one."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return cls(
                classes=tuple(str(name) for name in stored["classes"]),
                dense=stored["dense"].astype(np.float32),
                dense_bias=stored["dense_bias"],
                ngram=stored["ngram"].astype(np.float32),
                ngram_bias=stored["ngram_bias"],
                ngram_weight=float(stored["knobs"][0]),
                temperature=float(stored["knobs"][1]),
            )


def ngrams(text: str) -> Sparse:
    """The n-gram row of a message, from its folded form."""
    return hashed(words(fold(text)), shortest=_SHORTEST, longest=_LONGEST, buckets=BUCKETS)


def softmax(scores: Matrix) -> Matrix:
    """Rows of scores as rows of probabilities."""
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Matrix = (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def train(
    embeddings: Matrix,
    texts: Sequence[str],
    topics: Sequence[str],
    knobs: Knobs = DEFAULT_KNOBS,
    say: Callable[[str], None] = lambda _: None,
) -> LinearTopics:
    """Fit on all examples, with the temperature from a first fit that held some out."""
    labels = np.array(topics)
    sparse = _stack([ngrams(text) for text in texts])
    kept, held = _split(labels, knobs)
    say("fitting, with some examples held out for calibration")
    trial = _fit(embeddings[kept], sparse[kept], labels[kept], knobs)
    temperature = _temperature(_scores(trial, embeddings[held], sparse[held]), labels[held], trial.classes)
    say("fitting on all examples")
    final = _fit(embeddings, sparse, labels, knobs)
    return LinearTopics(**{**final.__dict__, "temperature": temperature})


def _fit(embeddings: Matrix, sparse: Any, labels: npt.NDArray[np.str_], knobs: Knobs) -> LinearTopics:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    def logistic(strength: float) -> LogisticRegression:
        return LogisticRegression(C=strength, class_weight="balanced", max_iter=knobs.max_iterations, tol=_TOLERANCE)

    # Embeddings all point the same way; brought to mean 0 and spread 1, the solver gets somewhere.
    mean, spread = embeddings.mean(axis=0), embeddings.std(axis=0) + _LEAST_SPREAD
    with warnings.catch_warnings():  # stopping at max_iterations is meant: later ones gain nothing
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense = logistic(knobs.dense_c).fit((embeddings - mean) / spread, labels)
        ngram = logistic(knobs.ngram_c).fit(sparse, labels)
    weights = (dense.coef_ / spread).T.astype(np.float32)
    return LinearTopics(
        classes=tuple(str(name) for name in dense.classes_),
        dense=weights,
        dense_bias=(dense.intercept_ - mean @ weights).astype(np.float32),
        ngram=ngram.coef_.T.astype(np.float32).copy(),
        ngram_bias=ngram.intercept_.astype(np.float32),
        ngram_weight=knobs.ngram_weight,
        temperature=1.0,
    )


def _scores(model: LinearTopics, embeddings: Matrix, sparse: Any) -> Matrix:
    dense = embeddings @ model.dense + model.dense_bias
    result: Matrix = dense + model.ngram_weight * (sparse @ model.ngram + model.ngram_bias)
    return result


def _temperature(scores: Matrix, labels: npt.NDArray[np.str_], classes: tuple[str, ...]) -> float:
    """The temperature with the least log loss on examples that the model has not seen."""
    index = {name: place for place, name in enumerate(classes)}
    known = np.array([label in index for label in labels])
    truth = np.array([index[str(label)] for label in labels[known]])
    rows = np.arange(len(truth))
    grid = np.geomspace(0.2, 8.0, 60)
    if not len(truth):
        return 1.0
    losses = [-np.log(softmax(scores[known] / t)[rows, truth] + 1e-9).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _split(labels: npt.NDArray[np.str_], knobs: Knobs) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    order = np.random.default_rng(knobs.seed).permutation(len(labels))
    held = order[: int(len(labels) * knobs.held_out)]
    rare = {label for label, count in zip(*np.unique(labels, return_counts=True)) if count < 5}
    held = np.array([i for i in held if labels[i] not in rare], dtype=np.int64)
    kept = np.setdiff1d(order, held)
    return kept, held


def _stack(rows: list[Sparse]) -> Any:
    from scipy.sparse import csr_matrix

    indptr = np.cumsum([0] + [len(buckets) for buckets, _ in rows])
    values = np.concatenate([values for _, values in rows]) if rows else np.zeros(0, dtype=np.float32)
    places = np.concatenate([buckets for buckets, _ in rows]) if rows else np.zeros(0, dtype=np.int64)
    return csr_matrix((values, places, indptr), shape=(len(rows), BUCKETS), dtype=np.float32)

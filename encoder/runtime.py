"""Runs the exported encoder: numpy and ONNX Runtime only, on one thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from encoder.pieces import Pieces

Matrix = npt.NDArray[np.float32]

_BATCH = 64


class Encoder:
    """A folder with ``encoder.onnx``, ``pieces.gz`` and ``labels.json``, ready to read messages."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._pieces = Pieces.load(folder / "pieces.gz")
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        self.classes: tuple[str, ...] = tuple(labels["classes"])
        self._longest: int = labels["longest"]

    def encode(self, texts: Sequence[str]) -> tuple[Matrix, Matrix]:
        """Vectors of length one, and the head's scores, of texts in their light form."""
        rows = [self._pieces.ids(text, self._longest) for text in texts]
        vectors = np.zeros((len(rows), 384), dtype=np.float32)
        scores = np.zeros((len(rows), len(self.classes)), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            by_length.setdefault(len(row), []).append(place)
        for places in by_length.values():
            for start in range(0, len(places), _BATCH):
                part = places[start : start + _BATCH]
                ids = np.array([rows[i] for i in part], dtype=np.int64)
                vectors[part], scores[part] = self._session.run(None, {"ids": ids})
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return vectors, scores

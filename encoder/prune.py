"""Which pieces of the vocabulary our messages need, and the encoder with no others.

    python -m encoder.prune --base WORK/base.pt --pieces WORK/base.pieces.gz --train DIR \
        --out WORK/pruned.pt --out-pieces WORK/pieces.gz
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import torch

from encoder.augment import varied
from encoder.data import training
from encoder.network import Encoder, load, save
from encoder.pieces import MARK, SPECIALS, Pieces

_COMMON_LETTER = 10
_LATIN = re.compile(r"[a-z'0-9]+")
_ARABIC_RANGE = ("\u0600", "\u06ff")
_VARIANTS = 3


def wanted(pieces: Pieces, texts: Sequence[tuple[str, bool]], latin_rank: int, latin_short: int) -> list[int]:
    """The places of the pieces to keep, in their old order."""
    used = _used(pieces, texts)
    letters = Counter(letter for text, _ in texts for letter in text)
    common = {letter for letter, count in letters.items() if count >= _COMMON_LETTER}
    keep = set(range(len(SPECIALS))) | used
    latin_seen = 0
    for place, name in enumerate(pieces.names):
        body = name.removeprefix(MARK)
        if place in keep or body != body.lower():
            continue
        if len(body) <= 1:
            if not body or body in letters or body.isascii() or _arabic(body) or "\u00c0" <= body <= "\u017f":
                keep.add(place)
        elif all(letter in common and _arabic(letter) for letter in body):
            keep.add(place)
        elif _LATIN.fullmatch(body) and (latin_seen < latin_rank or len(body) <= latin_short):
            latin_seen += 1
            keep.add(place)
    return sorted(keep)


def _used(pieces: Pieces, texts: Iterable[tuple[str, bool]]) -> set[int]:
    chance = Random(1)
    found: set[int] = set()
    for text, romanised in texts:
        found.update(pieces.ids(text.lower()))
        for _ in range(_VARIANTS if romanised else 1):
            found.update(pieces.ids(varied(text.lower(), romanised, chance, 1.0)))
    return found


def _arabic(letter: str) -> bool:
    return _ARABIC_RANGE[0] <= letter <= _ARABIC_RANGE[1]


def narrowed(model: Encoder, pieces: Pieces, keep: list[int]) -> tuple[Encoder, Pieces]:
    """The encoder and the vocabulary with these pieces only; capital letters are read as small ones."""
    state = model.state_dict()
    state["word.weight"] = state["word.weight"][torch.tensor(keep)].clone()
    small = Encoder(type(model.shape)(**{**model.shape.__dict__, "pieces": len(keep)}))
    small.load_state_dict(state)
    lower = {chr(c): chr(c).lower() for c in range(0x41, 0x180) if len(chr(c).lower()) == 1 and chr(c).isupper()}
    names = [pieces.names[i] for i in keep]
    return small, Pieces(names, [pieces.scores[i] for i in keep], {**pieces.replacements, **lower})


def main() -> None:
    """Prunes."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("base", "pieces", "train", "out", "out-pieces"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--latin-rank", type=int, default=9000, help="so many Latin pieces, the most frequent")
    parser.add_argument("--latin-short", type=int, default=3, help="and all Latin pieces up to this length")
    options = parser.parse_args()
    model, _ = load(options.base)
    pieces = Pieces.load(options.pieces)
    texts = [(example.text, example.romanised) for example in training(options.train)]
    keep = wanted(pieces, texts, options.latin_rank, options.latin_short)
    small, fewer = narrowed(model, pieces, keep)
    save(small, options.out)
    fewer.save(options.out_pieces)
    before = sum(len(pieces.ids(text.lower())) for text, _ in texts)
    after = sum(len(fewer.ids(text)) for text, _ in texts)
    print(f"{len(texts)} texts, {len(pieces)} pieces -> {len(fewer)}; tokens {before} -> {after}")
    print(f"tokenizer file {options.out_pieces.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

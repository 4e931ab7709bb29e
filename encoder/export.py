"""Writes the tuned encoder as one small ONNX file that gives the vector and the scores in one pass.

    python -m encoder.export --tuned WORK/run/tuned.pt --pieces WORK/pieces.gz --out encoder/model

Weights are whole numbers of 4 or 8 bits in blocks (ONNX Runtime's ``MatMulNBits``); the table of
pieces is unpacked in the graph, row by row. There is no mask: texts of one batch have one length.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from encoder.network import Encoder, load

Floats = npt.NDArray[np.float32]

MODEL, PIECES, LABELS = "encoder.onnx", "pieces.gz", "labels.json"
_OPSET = 20
_WORD_BLOCK = 32
_MICROSOFT = "com.microsoft"
_SHRINKS = np.linspace(0.8, 1.0, 9, dtype=np.float32)


def blocks(weights: Floats, bits: int, block: int) -> tuple[npt.NDArray[np.uint8], Floats]:
    """Whole numbers around ``2 ** (bits - 1)`` and a scale a block: those with the least square error."""
    half = 1 << (bits - 1)
    parts = weights.reshape(weights.shape[0], -1, block)
    widest = np.take_along_axis(parts, np.abs(parts).argmax(-1)[..., None], -1)
    best_scale = np.zeros_like(widest)
    best_error = np.full(widest.shape, np.inf, dtype=np.float32)
    for shrink in _SHRINKS if bits < 8 else _SHRINKS[-1:]:
        scale = np.where(widest == 0, 1e-8, -widest / half * shrink).astype(np.float32)
        wrong = (np.clip(np.rint(parts / scale), -half, half - 1) * scale - parts) ** 2
        error = wrong.sum(-1, keepdims=True)
        better = error < best_error
        best_scale = np.where(better, scale, best_scale)
        best_error = np.where(better, error, best_error)
    numbers = np.clip(np.rint(parts / best_scale), -half, half - 1) + half
    return numbers.astype(np.uint8), best_scale[..., 0].astype(np.float32)


class Graph:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self, bits: int, block: int) -> None:
        self.bits, self.block = bits, block
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """A constant; gives its name back."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output of its own name."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def linear(self, x: str, name: str, weight: Floats, bias: Floats) -> str:
        """A linear map with packed weights."""
        out, inner = weight.shape
        numbers, scales = blocks(weight, self.bits, self.block)
        packed = numbers if self.bits == 8 else numbers[..., 0::2] | (numbers[..., 1::2] << 4)
        inputs = [
            x,
            self.constant(f"{name}.w", packed),
            self.constant(f"{name}.s", scales),
            "",
            "",
            self.constant(f"{name}.b", bias),
        ]
        sizes = {"K": inner, "N": out, "bits": self.bits, "block_size": self.block, "accuracy_level": 4}
        return self.node("MatMulNBits", inputs, name, _MICROSOFT, **sizes)

    def norm(self, x: str, name: str, weight: Floats, bias: Floats, epsilon: float) -> str:
        """A layer norm over the last axis."""
        inputs = [x, self.constant(f"{name}.w", weight), self.constant(f"{name}.b", bias)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=epsilon)

    def words(self, table: Floats, bits: int) -> str:
        """The rows of the ids out of a packed table."""
        width = table.shape[1]
        numbers, scales = blocks(table, bits, _WORD_BLOCK if bits < 8 else width)
        flat = numbers.reshape(len(table), width)
        if bits == 8:
            rows = self.node("Gather", [self.constant("word.w", flat), "ids"], "word.rows")
            numbers_name = self.node("Cast", [rows], "word.numbers", to=TensorProto.FLOAT)
        else:
            packed = flat[:, : width // 2] | (flat[:, width // 2 :] << 4)
            rows = self.node("Gather", [self.constant("word.w", packed), "ids"], "word.rows")
            fifteen = self.constant("word.15", np.array(15, dtype=np.uint8))
            four = self.constant("word.4", np.array(4, dtype=np.uint8))
            low = self.node("BitwiseAnd", [rows, fifteen], "word.low")
            high = self.node("BitShift", [rows, four], "word.high", direction="RIGHT")
            both = self.node("Concat", [low, high], "word.both", axis=-1)
            numbers_name = self.node("Cast", [both], "word.numbers", to=TensorProto.FLOAT)
        half = self.constant("word.half", np.array(1 << (bits - 1), dtype=np.float32))
        centred = self.node("Sub", [numbers_name, half], "word.centred")
        shape = self.constant("word.blocks", np.array([0, 0, scales.shape[1], -1], dtype=np.int64))
        parts = self.node("Reshape", [centred, shape], "word.parts")
        stored = self.constant("word.s", scales[..., None].astype(np.float16))
        scale = self.node("Gather", [stored, "ids"], "word.scale16")
        scale = self.node("Cast", [scale], "word.scale", to=TensorProto.FLOAT)
        scaled = self.node("Mul", [parts, scale], "word.scaled")
        back = self.constant("word.width", np.array([0, 0, width], dtype=np.int64))
        return self.node("Reshape", [scaled, back], "word")


def graph_of(model: Encoder, bits: int, block: int, word_bits: int, longest: int) -> onnx.ModelProto:
    """The whole encoder as an ONNX model."""
    shape = model.shape
    weights: dict[str, Floats] = {name: value.float().numpy() for name, value in model.state_dict().items()}
    graph = Graph(bits, block)

    def pair(name: str) -> tuple[Floats, Floats]:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    x = graph.node("Add", [graph.words(weights["word.weight"], word_bits), _positions(graph, weights, longest)], "sum")
    x = graph.norm(x, "norm", *pair("norm"), shape.epsilon)
    for i in range(shape.layers):
        name = f"layers.{i}"
        qkv = graph.linear(x, f"{name}.qkv", *pair(f"{name}.qkv"))
        parts = [f"{name}.{part}" for part in "qkv"]
        graph.nodes.append(helper.make_node("Split", [qkv], parts, axis=-1, num_outputs=3))
        seen = graph.node("MultiHeadAttention", parts, f"{name}.seen", _MICROSOFT, num_heads=shape.heads)
        out = graph.linear(seen, f"{name}.out", *pair(f"{name}.out"))
        x = graph.node("Add", [x, out], f"{name}.sum1")
        x = graph.norm(x, f"{name}.norm1", *pair(f"{name}.norm1"), shape.epsilon)
        up = graph.node("Gelu", [graph.linear(x, f"{name}.up", *pair(f"{name}.up"))], f"{name}.gelu")
        down = graph.linear(up, f"{name}.down", *pair(f"{name}.down"))
        x = graph.node("Add", [x, down], f"{name}.sum2")
        x = graph.norm(x, f"{name}.norm2", *pair(f"{name}.norm2"), shape.epsilon)
    mean = graph.node("ReduceMean", [x, graph.constant("tokens", np.array([1]))], "mean", keepdims=0)
    centred = graph.node("Sub", [mean, graph.constant("centre", weights["centre"])], "centred")
    graph.node("Div", [centred, graph.constant("spread", weights["spread"])], "vector")
    head = [graph.constant("head.w", weights["head.weight"]), graph.constant("head.b", weights["head.bias"])]
    graph.node("Gemm", ["vector", *head], "scores", transB=1)
    return _model(graph, shape.width, shape.classes)


def _positions(graph: Graph, weights: dict[str, Floats], longest: int) -> str:
    sizes = graph.node("Shape", ["ids"], "tokens.count", start=1, end=2)
    zero = graph.constant("zero", np.array([0]))
    table = graph.constant("position.w", weights["position.weight"][:longest])
    return graph.node("Slice", [table, zero, sizes, zero], "position")


def _model(graph: Graph, width: int, classes: int) -> onnx.ModelProto:
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])],
        [
            helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", width]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", classes]),
        ],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9, producer_name="rahnuma")


def main() -> None:
    """Exports."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("tuned", "pieces", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--bits", type=int, choices=(4, 8), default=8)
    parser.add_argument("--block", type=int, choices=(32, 64, 128), default=64)
    parser.add_argument("--word-bits", type=int, choices=(4, 8), default=4)
    parser.add_argument("--longest", type=int, default=64)
    options = parser.parse_args()
    model, stored = load(options.tuned)
    options.out.mkdir(parents=True, exist_ok=True)
    made = graph_of(model, options.bits, options.block, options.word_bits, options.longest)
    (options.out / MODEL).write_bytes(made.SerializeToString())
    shutil.copyfile(options.pieces, options.out / PIECES)
    labels = {"classes": stored["classes"], "longest": options.longest}
    (options.out / LABELS).write_text(json.dumps(labels, indent=1) + "\n", "utf-8")
    for path in sorted(options.out.iterdir()):
        print(f"{path.name} {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

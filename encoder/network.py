"""The encoder in plain PyTorch: BERT layers after XLM-R pieces, mean pooling, one linear head."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """The sizes of the network."""

    pieces: int
    width: int = 384
    layers: int = 12
    heads: int = 12
    inner: int = 1536
    positions: int = 512
    classes: int = 0
    epsilon: float = 1e-12


class Layer(nn.Module):
    """Attention and two linear maps, each followed by a layer norm."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm1 = nn.LayerNorm(shape.width, shape.epsilon)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.norm2 = nn.LayerNorm(shape.width, shape.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """One layer over (batch, tokens, width)."""
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.norm1(x + self.dropout(self.out(seen.transpose(1, 2).reshape(batch, tokens, width))))
        result: Tensor = self.norm2(x + self.dropout(self.down(functional.gelu(self.up(x)))))
        return result


class Encoder(nn.Module):
    """Ids to a pooled vector, and to the head's scores where there is a head."""

    def __init__(self, shape: Shape, dropout: float = 0.0, head_dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.word = nn.Embedding(shape.pieces, shape.width)
        self.position = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        self.head_dropout = nn.Dropout(head_dropout)
        self.register_buffer("centre", torch.zeros(shape.width))
        self.register_buffer("spread", torch.ones(1))
        self.head = nn.Linear(shape.width, shape.classes) if shape.classes else None

    def pooled(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mean of the last layer over the real tokens; ``mask`` is true there."""
        x = self.word(ids) + self.position.weight[: ids.shape[1]]
        x = self.dropout(self.norm(x))
        wide = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, wide)
        if mask is None:
            return x.mean(1)
        weights = mask.to(x.dtype).unsqueeze(-1)
        return (x * weights).sum(1) / weights.sum(1)

    def features(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """The pooled vector, centred and scaled: what the head reads, and what is exported."""
        result: Tensor = (self.pooled(ids, mask) - self.centre) / self.spread
        return result

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features and scores of the classes."""
        features = self.features(ids, mask)
        assert self.head is not None
        return features, self.head(self.head_dropout(features))


def save(model: Encoder, path: Path, **more: Any) -> None:
    """Writes weights, sizes and anything else in one file, in one step."""
    temporary = path.with_suffix(".new")
    torch.save({"shape": asdict(model.shape), "weights": model.state_dict(), **more}, temporary)
    temporary.replace(path)


def load(path: Path, **changes: Any) -> tuple[Encoder, dict[str, Any]]:
    """Reads what :func:`save` wrote; ``changes`` go to :class:`Encoder`."""
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model = Encoder(Shape(**stored["shape"]), **changes)
    model.load_state_dict(stored.pop("weights"))
    return model, stored


def padded(rows: list[list[int]], pad: int) -> tuple[Tensor, Tensor | None]:
    """Rows of ids as one matrix, with the mask of real tokens (none where nothing is padded)."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    mask = ids != pad
    return ids, None if bool(mask.all()) else mask

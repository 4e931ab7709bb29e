"""Fine-tunes the pruned encoder with a head over the topics; may be stopped and started again.

    python -m encoder.finetune --base WORK/pruned.pt --pieces WORK/pieces.gz --train DIR --work WORK/run

Writes ``checkpoint.pt`` as it goes (the same command goes on from there) and ``tuned.pt`` at the end.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from encoder.augment import varied
from encoder.data import Example, training
from encoder.network import Encoder, load, padded, save
from encoder.pieces import PAD, Pieces

_PROBE_EXAMPLES = 5000
_PROBE_STEPS = 60
_PROBE_RATE = 3e-3
_PROBE_DROPOUT = 0.3
_BUCKETS_POOL = 40
_SAY_EVERY = 25
_CHECKPOINT_EVERY = 25


@dataclass(frozen=True)
class Plan:
    """What a run does; kept in the checkpoint."""

    epochs: float = 3.0
    batch: int = 48
    rate: float = 1.5e-4
    word_rate: float = 3e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.92
    warmup_steps: int = 100
    cooling: float = 0.45
    weight_decay: float = 0.01
    smoothing: float = 0.1
    dropout: float = 0.1
    head_dropout: float = 0.2
    balance: float = 0.5
    augment: float = 0.25
    longest: int = 48
    seed: int = 7


def encode(
    model: Encoder, pieces: Pieces, texts: Sequence[str], longest: int, batch: int = 64
) -> tuple[Tensor, Tensor]:
    """Features and, where there is a head, scores; texts of one length together."""
    rows = [pieces.ids(text, longest) for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    features = torch.zeros(len(rows), model.shape.width)
    scores = torch.zeros(len(rows), model.shape.classes)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            ids, mask = padded([rows[i] for i in places], PAD)
            found = model.features(ids, mask)
            features[places] = found
            if model.head is not None:
                scores[places] = model.head(found)
    return features, scores


def class_weights(labels: Sequence[int], classes: int, power: float) -> Tensor:
    """Rarer classes weigh more: the inverse frequency to a power, one on average over examples."""
    counts = torch.tensor([Counter(labels).get(i, 0) for i in range(classes)], dtype=torch.float32).clamp(min=1)
    weights = counts.pow(-power)
    result: Tensor = weights * counts.sum() / (weights * counts).sum()
    return result


def with_head(model: Encoder, classes: int, plan: Plan, features: Tensor, labels: Tensor) -> Encoder:
    """The encoder with a head fitted on frozen features, so that tuning starts from a good place."""
    tuned = Encoder(replace(model.shape, classes=classes), plan.dropout, plan.head_dropout)
    tuned.load_state_dict(model.state_dict(), strict=False)
    tuned.centre.copy_(features.mean(0))
    tuned.spread.copy_((features - features.mean(0)).std())
    assert tuned.head is not None
    nn.init.zeros_(tuned.head.weight)
    nn.init.zeros_(tuned.head.bias)
    inputs = (features - tuned.centre) / tuned.spread
    weights = class_weights(labels.tolist(), classes, plan.balance)
    optimiser = torch.optim.AdamW(tuned.head.parameters(), lr=_PROBE_RATE, weight_decay=1.0)
    for step in range(_PROBE_STEPS):
        optimiser.param_groups[0]["lr"] = _PROBE_RATE * (1 - step / _PROBE_STEPS)
        scores = tuned.head(functional.dropout(inputs, _PROBE_DROPOUT))
        functional.cross_entropy(scores, labels, weights, label_smoothing=plan.smoothing).backward()
        optimiser.step()
        optimiser.zero_grad()
    return tuned


def optimiser_for(model: Encoder, plan: Plan) -> torch.optim.Optimizer:
    """AdamW; lower layers learn more slowly, vectors do not decay."""
    groups: list[dict[str, Any]] = []

    def add(parameters: Iterator[nn.Parameter], rate: float, decay: bool = True) -> None:
        for parameter in parameters:
            if parameter.requires_grad:
                weight_decay = plan.weight_decay if decay and parameter.ndim > 1 else 0.0
                groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": weight_decay})

    model.position.requires_grad_(False)
    add(model.word.parameters(), plan.word_rate, decay=False)
    add(model.norm.parameters(), plan.rate * plan.layer_decay**model.shape.layers)
    for depth, layer in enumerate(model.layers):
        add(layer.parameters(), plan.rate * plan.layer_decay ** (model.shape.layers - 1 - depth))
    assert model.head is not None
    add(model.head.parameters(), plan.head_rate)
    return torch.optim.AdamW(groups, fused=True, betas=(0.9, 0.98))


def batches(lengths: Sequence[int], plan: Plan, epoch: int) -> list[list[int]]:
    """Shuffled batches of texts of like length, the same for the same epoch and seed."""
    chance = Random(f"{plan.seed}-{epoch}")
    order = list(range(len(lengths)))
    chance.shuffle(order)
    pool = plan.batch * _BUCKETS_POOL
    found = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lambda i: lengths[i])
        found += [part[i : i + plan.batch] for i in range(0, len(part), plan.batch)]
    chance.shuffle(found)
    return found


def share_of_rate(step: int, steps: int, plan: Plan) -> float:
    """Linear warm-up, a level stretch, then linear decay to nothing.

    Level, so that a run may be given more or fewer epochs as long as it has not begun to decay.
    """
    return max(0.0, min(1.0, step / plan.warmup_steps, (steps - step) / max(1.0, steps * plan.cooling)))


class Run:
    """One training run: model, optimiser, the place where it stands."""

    def __init__(self, plan: Plan, examples: list[Example], classes: list[str], pieces: Pieces, work: Path) -> None:
        self.plan, self.examples, self.classes, self.pieces, self.work = plan, examples, classes, pieces, work
        self.labels = [classes.index(example.topic) for example in examples]
        self.weights = class_weights(self.labels, len(classes), plan.balance)
        self.lengths = [len(pieces.ids(example.text, plan.longest)) for example in examples]
        self.step = 0
        self.per_epoch = -(-len(examples) // plan.batch)
        self.steps = int(self.per_epoch * plan.epochs)

    def start(self, base: Path) -> None:
        """From the checkpoint if there is one of this plan (epochs may differ), else from the base weights."""
        if self.checkpoint.exists():
            self.model, stored = load(self.checkpoint, dropout=self.plan.dropout, head_dropout=self.plan.head_dropout)
            if Plan(**stored["plan"]) == replace(self.plan, epochs=stored["plan"]["epochs"]):
                self.optimiser = optimiser_for(self.model, self.plan)
                self.optimiser.load_state_dict(stored["optimiser"])
                self.step = stored["step"]
                print(f"going on at step {self.step}", flush=True)
                return
        self.model = self._probed(base)
        self.optimiser = optimiser_for(self.model, self.plan)

    @property
    def checkpoint(self) -> Path:
        """Where the run keeps its place."""
        return self.work / "checkpoint.pt"

    def train(self) -> None:
        """All steps that are left."""
        started, first, losses = time.monotonic(), self.step, [0.0]
        while self.step < self.steps:
            epoch, place = divmod(self.step, self.per_epoch)
            for rows in batches(self.lengths, self.plan, epoch)[place:]:
                losses.append(self._learn(rows, epoch))
                self.step += 1
                if self.step % _SAY_EVERY == 0:
                    pace = (time.monotonic() - started) / (self.step - first)
                    cpu = time.process_time()
                    print(
                        f"step {self.step}/{self.steps} loss {np.mean(losses[-_SAY_EVERY:]):.3f} {pace:.2f} s a step,"
                        f" {pace * self.per_epoch / 60:.1f} min an epoch, {cpu / 60:.1f} min of CPU so far",
                        flush=True,
                    )
                if self.step % _CHECKPOINT_EVERY == 0:
                    self._keep()
                if self.step >= self.steps:
                    break
        self.model.eval()
        save(self.model, self.work / "tuned.pt", classes=self.classes, plan=asdict(self.plan))

    def _learn(self, rows: list[int], epoch: int) -> float:
        plan = self.plan
        torch.manual_seed(plan.seed * 1_000_003 + self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * share_of_rate(self.step + 1, self.steps + 1, plan)
        ids, mask = padded([self._row(i, epoch) for i in rows], PAD)
        self.model.train()
        _, scores = self.model(ids, mask)
        truth = torch.tensor([self.labels[i] for i in rows])
        loss = functional.cross_entropy(scores, truth, self.weights, label_smoothing=plan.smoothing)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.item())

    def _row(self, i: int, epoch: int) -> list[int]:
        example = self.examples[i]
        chance = Random(f"{self.plan.seed}-{epoch}-{i}")
        return self.pieces.ids(varied(example.text, example.romanised, chance, self.plan.augment), self.plan.longest)

    def _keep(self) -> None:
        save(
            self.model,
            self.checkpoint,
            optimiser=self.optimiser.state_dict(),
            step=self.step,
            plan=asdict(self.plan),
            examples=len(self.examples),
        )

    def _probed(self, base: Path) -> Encoder:
        model, _ = load(base)
        some = Random(self.plan.seed).sample(range(len(self.examples)), min(_PROBE_EXAMPLES, len(self.examples)))
        features, _ = encode(model, self.pieces, [self.examples[i].text for i in some], self.plan.longest)
        labels = torch.tensor([self.labels[i] for i in some])
        tuned = with_head(model, len(self.classes), self.plan, features, labels)
        print(f"head fitted on {len(some)} frozen vectors", flush=True)
        return tuned


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("base", "pieces", "train", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--all", action="store_true", help="learn from the held-out twentieth too")
    parser.add_argument("--limit", type=int, help="stop after so many examples, for a trial")
    parser.add_argument("--threads", type=int, default=2)
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    plan = Plan(**{name: getattr(options, name) for name in asdict(Plan())})
    torch.manual_seed(plan.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    everything = training(options.train)
    classes = sorted({example.topic for example in everything})
    examples = [example for example in everything if options.all or not example.held_out]
    run = Run(plan, examples[: options.limit], classes, Pieces.load(options.pieces), options.work)
    print(f"{len(run.examples)} examples, {len(classes)} classes, {sum(run.lengths)} tokens, {plan}", flush=True)
    run.start(options.base)
    run.train()


if __name__ == "__main__":
    main()

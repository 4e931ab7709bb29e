"""``rahnuma evaluate``: what the whole bot would decide, for a file of messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import settings as settings_module
from bot.decide import Verdict
from cli.brain import Brain
from cli.failing import WRONG_USE, Failed
from content.topics import OUT_OF_SCOPE, Topics
from settings import ROOT

COLUMNS = ("language", "topic", "topic_2", "topic_3", "confidence", "danger", "danger_topic", "decision")
_SHOWN = 3


def evaluate(
    file: Annotated[Path, typer.Argument(help="UTF-8, tab-separated, a header with at least `text`.")],
    predictions: Annotated[Path, typer.Option(help="Where to write one row per row of FILE.")],
) -> None:
    """Write the bot's decision for each message of FILE; no server, no network."""
    texts = read_texts(file)
    brain = Brain(settings_module.load())
    filler = tuple(topic.id for topic in Topics.load(ROOT / "content" / "topics.yml"))
    try:
        with predictions.open("w", encoding="utf-8", newline="\n") as out:
            out.write("\t".join(COLUMNS) + "\n")
            for text in texts:
                out.write("\t".join(row(brain.verdict(text), filler)) + "\n")
    except OSError as error:
        raise Failed(f"cannot write {predictions}: {error.strerror}") from error


def read_texts(file: Path) -> list[str]:
    """The texts of a file; fails with exit code 2 where it cannot be read or has no such column."""
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")  # a lone CR is no end of a row
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"cannot read {file}: {getattr(error, 'strerror', None) or 'not UTF-8'}", WRONG_USE) from error
    rows = [line.removesuffix("\r") for line in lines]
    if rows and rows[-1] == "":
        rows.pop()
    header = rows[0].split("\t") if rows else []
    if "text" not in header:
        raise Failed(f"{file}: the header has no column `text`", WRONG_USE)
    place = header.index("text")
    cells = (line.split("\t") for line in rows[1:])
    return [cell[place] if place < len(cell) else "" for cell in cells]


def row(verdict: Verdict, filler: tuple[str, ...]) -> tuple[str, ...]:
    """A verdict as the columns of the contract; the three topics are distinct and never empty."""
    topics = list(_distinct([*verdict.ranking, OUT_OF_SCOPE, *filler]))[:_SHOWN]
    return (
        verdict.language,
        *topics,
        f"{verdict.confidence:.4f}",
        "true" if verdict.danger_topic else "false",
        verdict.danger_topic or "",
        verdict.decision.value,
    )


def _distinct(names: list[str]) -> Iterator[str]:
    yield from dict.fromkeys(names)

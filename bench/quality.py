"""How well Rahnuma understands messages that no example was written from: ``docs/quality.md``.

Runs ``rahnuma evaluate`` on the development sets (``tests/quality/<code>.tsv``) and writes tables
with 95 % Wilson intervals. ``--check`` compares with the figures of the last commit instead: it
fails where one has fallen by more than two points and more than three messages.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from content.languages import Languages
from content.topics import OUT_OF_SCOPE, Topics
from settings import ROOT

SETS = ROOT / "tests" / "quality"
REPORT = ROOT / "docs" / "quality.md"
FIGURES = SETS / "figures.json"
PICTURE = ROOT / "docs" / "img" / "confusion.png"
_POINTS, _MESSAGES = 0.02, 3
_Z = 1.96

TOPICS = Topics.load(ROOT / "content" / "topics.yml")
DANGER = frozenset(TOPICS.danger)
CODES = Languages.load(ROOT / "content" / "languages.yml").codes


@dataclass(frozen=True)
class Row:
    """One message of a development set with what the bot decided."""

    code: str
    topic: str
    script: str
    kind: str
    text: str
    said: dict[str, str]

    @property
    def in_scope(self) -> bool:
        """Whether one of the topics fits it."""
        return self.topic != OUT_OF_SCOPE

    @property
    def danger(self) -> bool:
        """Whether somebody may be hurt."""
        return self.topic in DANGER

    @property
    def first(self) -> bool:
        """Right topic first."""
        return self.said["topic"] == self.topic

    @property
    def among_three(self) -> bool:
        """Right topic among the first three."""
        return self.topic in (self.said["topic"], self.said["topic_2"], self.said["topic_3"])

    @property
    def alarmed(self) -> bool:
        """Whether a safety text went out."""
        return self.said["danger"] == "true"


Chosen = Callable[[Row], bool]


@dataclass(frozen=True)
class Measure:
    """A share of messages: of which, and what counts."""

    name: str
    of: Chosen
    counts: Chosen
    lower_is_better: bool = False


MEASURES = (
    Measure("right topic first", lambda r: r.in_scope, lambda r: r.first),
    Measure("right topic among three", lambda r: r.in_scope, lambda r: r.among_three),
    Measure("answered at once and rightly", lambda r: r.in_scope, lambda r: r.first and r.said["decision"] == "answer"),
    Measure("in scope refused", lambda r: r.in_scope, lambda r: r.said["decision"] == "refuse", True),
    Measure("out of scope answered", lambda r: not r.in_scope, lambda r: r.said["decision"] == "answer", True),
    Measure("danger recall, all", lambda r: r.danger, lambda r: r.alarmed),
    Measure("danger recall, not only implied", lambda r: r.danger and r.kind != "implied", lambda r: r.alarmed),
    Measure(
        "safety text was the right one", lambda r: r.danger and r.alarmed, lambda r: r.said["danger_topic"] == r.topic
    ),
    Measure("false alarms", lambda r: not r.danger, lambda r: r.alarmed, True),
    Measure("language", lambda r: True, lambda r: r.said["language"] == r.code),
    Measure("language, 1-3 words", lambda r: len(r.text.split()) <= 3, lambda r: r.said["language"] == r.code),
    Measure("language, longer", lambda r: len(r.text.split()) > 3, lambda r: r.said["language"] == r.code),
)


def main() -> int:
    """Evaluate, then write the report or check it against the last one."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare with the committed figures; write nothing")
    arguments = options.parse_args()
    rows = evaluate()
    figures = {key: list(pair) for key, pair in measured(rows)}
    if arguments.check:
        return check(figures)
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    REPORT.write_text("\n".join(report(rows)) + "\n", encoding="utf-8")
    draw(rows)
    sys.stdout.write(f"{REPORT.relative_to(ROOT)} written\n")
    return 0


def evaluate() -> list[Row]:
    """All development messages with the bot's decisions, through the command that others use."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "all.tsv"
        sets = [(code, read_set(SETS / f"{code}.tsv")) for code in CODES]
        texts = [row["text"] for _, messages in sets for row in messages]
        together.write_text("text\n" + "\n".join(texts) + "\n", encoding="utf-8")
        out = Path(folder) / "out.tsv"
        command = [sys.executable, "-m", "cli.main", "evaluate", str(together), "--predictions", str(out)]
        subprocess.run(command, cwd=ROOT, check=True)
        said = iter(read_set(out))
        for code, messages in sets:
            rows += [Row(code, m["topic"], m["script"], m["kind"], m["text"], next(said)) for m in messages]
    return rows


def read_set(path: Path) -> list[dict[str, str]]:
    """The rows of a tab-separated file by column."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines if line]


def measured(rows: list[Row]) -> Iterable[tuple[str, tuple[int, int]]]:
    """Each measure by language and script: hits and messages."""
    for measure in MEASURES:
        for script in ("native", "latn"):
            for code in CODES:
                chosen = [r for r in rows if r.code == code and r.script == script and measure.of(r)]
                if chosen:
                    yield f"{measure.name} | {script} | {code}", (sum(map(measure.counts, chosen)), len(chosen))


def check(figures: dict[str, list[int]]) -> int:
    """1 where a figure has fallen by more than two points and more than three messages."""
    before = json.loads(FIGURES.read_text(encoding="utf-8"))
    worse_if_higher = {m.name for m in MEASURES if m.lower_is_better}
    fallen = []
    for key, (hits, total) in before.items():
        now_hits, now_total = figures.get(key, [0, total])
        change = now_hits / max(1, now_total) - hits / total
        loss = change if key.split(" | ")[0] in worse_if_higher else -change
        if loss > _POINTS and loss * total > _MESSAGES:
            fallen.append(f"{key}: {hits}/{total} before, {now_hits}/{now_total} now")
    sys.stderr.writelines(f"fallen: {line}\n" for line in fallen)
    return 1 if fallen else 0


def wilson(hits: int, total: int) -> str:
    """A share with its 95 % Wilson score interval (E. B. Wilson, 1927)."""
    if not total:
        return "-"
    share = hits / total
    centre = (share + _Z**2 / (2 * total)) / (1 + _Z**2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2)) / (1 + _Z**2 / total)
    return f"{share:.3f} ({centre - half:.2f}-{centre + half:.2f})"


def report(rows: list[Row]) -> list[str]:
    """The document."""
    lines = [
        "# Quality",
        "",
        "Written by `make quality`: the development sets (`tests/quality/`), which no example was written from,",
        "through `rahnuma evaluate`. Shares with 95 % Wilson intervals. The sets were written by a machine in the",
        "manner of the street, not collected from people: real messages will differ.",
        "",
    ]
    for script, heading in (("native", "Native script"), ("latn", "Romanised")):
        lines += [f"## {heading}", "", *by_language(rows, script), ""]
    lines += ["## By kind of message, right topic first", "", *by_group(rows, lambda r: r.kind), ""]
    lines += ["## By area, right topic first", "", *by_group(rows, area_of), ""]
    lines += ["## The 20 worst confusions", "", "![confusions](img/confusion.png)", "", *confusions(rows), ""]
    lines += ["## Danger that was missed, in full", "", *missed(rows)]
    return lines


def by_language(rows: list[Row], script: str) -> list[str]:
    """Measures down, languages across."""
    codes = [code for code in CODES if any(r.code == code and r.script == script for r in rows)]
    lines = [f"| | {' | '.join(codes)} | mean |", f"|---|{'---|' * (len(codes) + 1)}"]
    for measure in MEASURES:
        cells, shares = [], []
        for code in codes:
            chosen = [r for r in rows if r.code == code and r.script == script and measure.of(r)]
            hits = sum(map(measure.counts, chosen))
            cells.append(wilson(hits, len(chosen)))
            shares += [hits / len(chosen)] if chosen else []
        lines.append(f"| {measure.name} | {' | '.join(cells)} | {sum(shares) / max(1, len(shares)):.3f} |")
    return lines


def by_group(rows: list[Row], key: Callable[[Row], str]) -> list[str]:
    """Right topic first, for each group in each script."""
    lines = ["| | native | romanised |", "|---|---|---|"]
    for name in sorted({key(row) for row in rows}):
        cells = []
        for script in ("native", "latn"):
            chosen = [r for r in rows if key(r) == name and r.script == script]
            cells.append(wilson(sum(r.first for r in chosen), len(chosen)))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def area_of(row: Row) -> str:
    """The area of a message's topic."""
    return TOPICS[row.topic].area if row.topic in TOPICS else OUT_OF_SCOPE


def confusions(rows: list[Row]) -> list[str]:
    """The pairs that are mistaken most often."""
    pairs = Counter((r.topic, r.said["topic"]) for r in rows if not r.first)
    lines = ["| meant | understood | times |", "|---|---|---|"]
    return lines + [f"| {meant} | {said} | {count} |" for (meant, said), count in pairs.most_common(20)]


def missed(rows: list[Row]) -> list[str]:
    """Every danger message without a safety text."""
    lines = ["| language | topic | kind | message | understood |", "|---|---|---|---|---|"]
    for row in rows:
        if row.danger and not row.alarmed:
            text = row.text.replace("|", "/")
            lines.append(f"| {row.code} {row.script} | {row.topic} | {row.kind} | {text} | {row.said['topic']} |")
    return lines


def draw(rows: list[Row]) -> None:
    """A picture of the confusion matrix, topics in the order of the list."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [*[topic.id for topic in TOPICS], OUT_OF_SCOPE]
    place = {name: number for number, name in enumerate(names)}
    matrix = [[0.0] * len(names) for _ in names]
    for row in rows:
        matrix[place[row.topic]][place[row.said["topic"]]] += 1
    shares = [[cell / max(1.0, sum(line)) for cell in line] for line in matrix]
    figure, axes = pyplot.subplots(figsize=(16, 16))
    axes.imshow(shares, cmap="magma_r", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axes.set_yticks(range(len(names)), names, fontsize=6)
    axes.set_xlabel("understood")
    axes.set_ylabel("meant")
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=80)


if __name__ == "__main__":
    sys.exit(main())

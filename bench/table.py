"""Writes a measured table between two markers of a document."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from settings import ROOT


def write(document: str, name: str, lines: list[str]) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``."""
    path = ROOT / "docs" / document
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    if not rest or not after:
        raise SystemExit(f"{path.name} has no markers {start} … {end}")
    path.write_text("\n".join([before + start, *lines, end + after]), encoding="utf-8")


def circumstances() -> str:
    """When and on what it was measured."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=False).stdout.strip()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at commit {commit} on {cores} cores of {model}."

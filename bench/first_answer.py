"""From cold to the first answer, memory and answer time: ours beside Rasa's starter bot, same run.

Rasa's starter bot is what ``rasa init`` makes: DIET, TED, English, seven intents. Both bots are
started from a trained model, asked until they answer, then asked fifty more times.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx

from bench import table
from cli.model import current
from settings import ROOT, load
from tests.conftest import environment, start, stop

ROUNDS = 50
_PATIENCE_SECONDS = 240
QUESTIONS = ("hello", "سلام", "where is the doctor", "ڈاکٹر کہاں ہے", "i want asylum", "پناه غواړم", "وين الدكتور")


@dataclass
class Measured:
    """One bot's figures, in seconds and megabytes."""

    name: str
    train: float | None
    first_answer: float
    memory: float
    median: float
    p95: float

    def row(self) -> str:
        """As a line of a table."""
        train = f"{self.train:.0f} s" if self.train is not None else "-"
        return (
            f"| {self.name} | {train} | {self.first_answer:.1f} s | {self.memory:.0f} MB "
            f"| {self.median * 1000:.0f} ms | {self.p95 * 1000:.0f} ms |"
        )


def main() -> None:
    """Measure both, write the table."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = starter(Path(folder) / "starter")
        ours_page, ours_rest = ours(Path(folder) / "ours")
    lines = [
        "",
        table.circumstances(),
        "",
        "| bot | training | start to first answer | memory, all processes | answer, median | answer, p95 |",
        "|---|---|---|---|---|---|",
        theirs.row(),
        ours_rest.row(),
        ours_page.row(),
        "",
    ]
    table.write("performance.md", "first-answer", lines)
    print("\n".join(lines))


def starter(folder: Path) -> Measured:
    """Rasa's own starter bot."""
    shutil.copytree(
        Path(str(files("rasa.cli"))) / "initial_project", folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")
    (folder / "endpoints.yml").write_text("", encoding="utf-8")
    env = {**os.environ, "RASA_TELEMETRY_ENABLED": "false"}
    rasa = [sys.executable, "-W", "ignore", "-m", "rasa"]
    began = time.monotonic()
    subprocess.run([*rasa, "train", "--quiet"], cwd=folder, env=env, check=True, capture_output=True)
    train = time.monotonic() - began
    port = 5990
    began = time.monotonic()
    process = subprocess.Popen(
        [*rasa, "run", "-i", "127.0.0.1", "-p", str(port)],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            first = until_answered(lambda: bool(rest(client, "hello")), began)
            times = [timed(lambda: rest(client, "hello")) for _ in range(ROUNDS)]
        return Measured("Rasa's starter bot, REST", train, first, memory_of(process.pid), *spread(times))
    finally:
        stop(process)


def ours(folder: Path) -> tuple[Measured, Measured]:
    """Rahnuma, all processes: through the web chat, and Rasa's part alone as the starter is asked."""
    model = current(load())
    (folder / "models").mkdir(parents=True)
    shutil.copy2(model, folder / "models" / model.name)
    env = environment(folder)
    began = time.monotonic()
    process = start(env, folder / "up.log")
    try:
        url = f"http://127.0.0.1:{env['RAHNUMA_BOT_PORT']}"
        with httpx.Client(base_url=url, timeout=60) as client:
            until_answered(lambda: client.get("/health").json()["parts"]["gateway_store"] == "ok", began)
            chat = Chat(client)
            first = until_answered(lambda: chat.ask("hello") is not None, began)
            times = [timed(lambda n=n: chat.ask(QUESTIONS[n % len(QUESTIONS)])) for n in range(ROUNDS)]
        with httpx.Client(base_url=f"http://127.0.0.1:{env['RASA_PORT']}", timeout=30) as client:
            alone = [timed(lambda: rest(client, "hello")) for _ in range(ROUNDS)]
        memory = memory_of(process.pid)
        page = Measured("Rahnuma, stored and answered through the web chat", None, first, memory, *spread(times))
        return page, Measured("Rahnuma, REST", None, first, memory, *spread(alone))
    finally:
        stop(process)


class Chat:
    """A web chat that waits for each answer."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {client.post('/chat').json()['token']}"}
        self._after = 0

    def ask(self, text: str) -> str | None:
        """Write, and wait for the answer itself, not for a line that says to wait."""
        self._client.post("/chat/messages", json={"text": text}, headers=self._headers).raise_for_status()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            params = {"after": self._after, "wait": 20}
            for row in self._client.get("/chat/messages", params=params, headers=self._headers).json():
                self._after = row["id"]
                if row["buttons"]:
                    return str(row["text"])
        return None


def rest(client: httpx.Client, text: str) -> list[object]:
    """One turn over Rasa's REST channel."""
    sent = client.post("/webhooks/rest/webhook", json={"sender": "bench", "message": text})
    answers: list[object] = sent.json() if sent.status_code == 200 else []
    return answers


def until_answered(ask, began: float) -> float:  # type: ignore[no-untyped-def]
    """Seconds until something answers."""
    while time.monotonic() - began < _PATIENCE_SECONDS:
        try:
            if ask():
                return time.monotonic() - began
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        time.sleep(0.05)
    raise SystemExit("no answer")


def timed(work) -> float:  # type: ignore[no-untyped-def]
    """How long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def spread(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(times), sorted(times)[int(len(times) * 0.95) - 1]


def memory_of(pid: int) -> float:
    """Proportional memory of a process and all below it, in MB."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            waiting += [int(c) for c in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return total


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

"""Fixtures in two sizes: plain content, and the whole running system with a Bot API server of ours."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import settings as settings_module
from cli.model import current
from content.speaker import Speaker
from content.strings import compile_catalogues
from settings import ROOT
from tests.botapi import UNLIMITED, World, serve_in_thread

os.environ.setdefault("PTB_TIMEDELTA", "true")

TOKEN = "4242:rahnuma-test-token"
_START_SECONDS = 180


@pytest.fixture(scope="session")
def model() -> Path:
    """The model of the present data; trained where there is none."""
    subprocess.run([sys.executable, "-m", "cli.main", "train"], cwd=ROOT, check=True)
    return current(settings_module.load())


@pytest.fixture(scope="session")
def speaker() -> Speaker:
    """All content, catalogues compiled."""
    compile_catalogues(ROOT)
    return Speaker.load(ROOT)


@dataclass
class System:
    """A running Rahnuma: its addresses and what it left on disk."""

    url: str
    api: Any
    data_dir: Path
    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    def health(self) -> dict[str, Any]:
        """What ``/health`` says now."""
        report: dict[str, Any] = httpx.get(f"{self.url}/health", timeout=10).json()
        return report


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def environment(data_dir: Path, api_url: str | None = None, **more: str) -> dict[str, str]:
    """The settings of a system of its own: other ports, other data."""
    names = ("RAHNUMA_BOT_PORT", "RAHNUMA_CONSOLE_PORT", "RAHNUMA_METRICS_PORT", "RASA_PORT", "ACTIONS_PORT")
    values = {name: str(port) for name, port in zip(names, free_ports(len(names)))}
    values["RAHNUMA_DATA_DIR"] = str(data_dir)
    if api_url:
        values |= {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": api_url}
    return {**os.environ, **values, **more}


def start(env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """``rahnuma up`` in a process of its own."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
        )


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for ``/health`` to say ok; fail with the log where the process ends first."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"rahnuma up ended: {log.read_text(encoding='utf-8')[-2000:]}")
        try:
            if httpx.get(f"{url}/health", timeout=5).json()["status"] == "ok":
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.2)
    pytest.fail(f"not ready: {log.read_text(encoding='utf-8')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end, as an operator would; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)


@pytest.fixture(scope="session")
def system(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole bot, started once: Rasa, actions, gateway, and Telegram's stand-in."""
    data_dir = tmp_path_factory.mktemp("data")
    (data_dir / "models").mkdir()
    shutil.copy2(model, data_dir / "models" / model.name)
    with serve_in_thread(World(limits=UNLIMITED), token=TOKEN) as api:
        env = environment(data_dir, api.url)
        log = data_dir / "up.log"
        process = start(env, log)
        url = f"http://127.0.0.1:{env['RAHNUMA_BOT_PORT']}"
        try:
            wait_until_ready(url, process, log)
            ports = {name: int(value) for name, value in env.items() if name.endswith("_PORT") and value.isdigit()}
            yield System(url, api, data_dir, process, ports)
        finally:
            stop(process)


def conversation_files() -> list[Path]:
    """Every file of conversations."""
    return sorted((ROOT / "tests" / "conversations").glob("*.yml"))


def read_conversations(path: Path) -> list[dict[str, Any]]:
    """The conversations of a file."""
    conversations: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]
    return conversations

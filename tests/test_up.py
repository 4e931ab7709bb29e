"""Starting and ending everything: one clear line for what goes wrong, and no orphan."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from tests.botapi import World, serve_in_thread
from tests.conftest import TOKEN, environment, start, stop, wait_until_ready


def up(env: dict[str, str], root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """``rahnuma up`` where it should fail soon."""
    env = {**env, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "up"],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def the_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr that says what is wrong; never a traceback."""
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("rahnuma: ")]
    return line


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up(environment(tmp_path, RASA_PORT=str(port)))
    assert done.returncode == 1
    assert "RASA_PORT" in the_line(done)
    assert str(port) in the_line(done)


def test_a_malformed_token_is_named(tmp_path: Path) -> None:
    done = up(environment(tmp_path, TELEGRAM_TOKEN="hello"))
    assert done.returncode == 1
    assert "TELEGRAM_TOKEN" in the_line(done)


def test_a_token_that_telegram_does_not_know_is_named(tmp_path: Path) -> None:
    with serve_in_thread(World(), token=TOKEN) as api:
        done = up(environment(tmp_path, api.url, TELEGRAM_TOKEN="999:unknown"))
    assert done.returncode == 1
    assert "TELEGRAM_TOKEN" in the_line(done)


@pytest.mark.parametrize(
    "file", ["domain/mines.yml", "content/danger/contacts.yml", "content/danger/en.yml", "content/topics.yml"]
)
def test_a_broken_content_file_is_named(file: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".venv", "var", ".git", ".tools", "tests", "encoder"))
    (root / file).write_text("responses: [unclosed\n  - : :\n", encoding="utf-8")
    done = up(environment(tmp_path / "data"), root)
    assert done.returncode == 1
    assert Path(file).name in the_line(done)


def test_a_database_that_is_away_is_named(tmp_path: Path, model: Path) -> None:
    data_dir = with_model(tmp_path, model)
    done = up(environment(data_dir, GATEWAY_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing"))
    assert done.returncode == 1
    assert "GATEWAY_DATABASE_URL" in the_line(done)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGKILL", "a dead child"])
def test_all_of_it_ends_together(how: str, tmp_path: Path, model: Path) -> None:
    data_dir = with_model(tmp_path, model)
    env = environment(data_dir)
    log = tmp_path / "up.log"
    process = start(env, log)
    try:
        wait_until_ready(f"http://127.0.0.1:{env['RAHNUMA_BOT_PORT']}", process, log)
        children = children_of(process.pid)
        assert len(children) == 3
        if how == "a dead child":
            os.kill(children[-1], signal.SIGKILL)
        else:
            process.send_signal(getattr(signal, how))
        code = process.wait(timeout=40)
        for child in children:
            wait_for_end(child)
    finally:
        stop(process)
    assert code == {"SIGTERM": 0, "SIGINT": 0, "SIGKILL": -9, "a dead child": 1}[how]
    if how == "a dead child":
        assert " ended (exit code -9)" in log.read_text(encoding="utf-8")


def with_model(tmp_path: Path, model: Path) -> Path:
    """A data folder with the trained model in it."""
    data_dir = tmp_path / "data"
    (data_dir / "models").mkdir(parents=True)
    shutil.copy2(model, data_dir / "models" / model.name)
    return data_dir


def children_of(pid: int) -> list[int]:
    """The processes that a process started, in order."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def wait_for_end(pid: int) -> None:
    """Wait until a process, which is not our child, is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    try:
        ready, _, _ = select.select([descriptor], [], [], 30)
        assert ready, f"process {pid} still runs"
    finally:
        os.close(descriptor)

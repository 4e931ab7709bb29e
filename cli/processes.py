"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from settings import ROOT

_PATIENCE_SECONDS = 12.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process of ours, with its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def code(self) -> int | None:
        """The exit code, once it has ended."""
        return self.process.poll()

    def last_words(self) -> str:
        """The last line of its log, for the one line that an operator reads."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return f": {lines[-1][:200]}" if lines else ""


class Group:
    """Starts children; on leaving, ends all of them."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, name: str, command: list[str], environment: dict[str, str], logs: Path) -> Child:
        """Start a child in a session of its own, its output in ``logs``; it dies with us even on kill -9."""
        log = logs / f"{name}.log"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent  # noqa: PLW1509 - started before any thread
                if sys.platform == "linux"
                else None,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def dead(self) -> Child | None:
        """A child that has ended, if any has."""
        return next((child for child in self._children if child.code is not None), None)

    def end(self) -> None:
        """Ask every child to end, and insist after a while."""
        for child in self._children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.process.wait()
        self._children.clear()


def _signal(child: Child, number: signal.Signals) -> None:
    """To the child's whole process group, so that what it started ends with it."""
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

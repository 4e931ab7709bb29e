"""``rahnuma up``: everything on one machine, ended together."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

import settings as settings_module
from cli import processes
from cli.failing import Failed
from cli.model import fingerprint, path_of
from cli.processes import Child
from content.contacts import ContactTable
from content.strings import compile_catalogues
from content.yaml_file import SourceError
from settings import ROOT, TELEGRAM_PUBLIC_API, Settings

console = Console(stderr=True)

_NEEDED_BYTES = 100 * 1024 * 1024
_READY_SECONDS = 300
_POLL_SECONDS = 0.3


def up() -> None:
    """Start Rasa, the action server and the gateway; Ctrl-C ends all of them."""
    settings = settings_module.load()
    try:
        _run(settings)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Failed(f"the disk is full: {settings.data_dir}") from error
        raise Failed(f"{error.strerror or error}: {error.filename or settings.data_dir}") from error


def _run(settings: Settings) -> None:
    _check_disk(settings)
    _check_ports(settings)
    _check_content()
    _check_token(settings)
    model = _trained(settings)
    _migrate(settings)
    with processes.Group() as group:
        stopping = _stop_on_signals()
        _start(group, settings, model)
        _wait_until_ready(group, settings, stopping)
        if not stopping():
            _print_addresses(settings)
        _watch(group, stopping)


def _trained(settings: Settings) -> Path:
    """The model of the present data, trained in a process of its own: it may use every core."""
    target = path_of(settings, fingerprint())
    if not target.is_file():
        environment = {**os.environ, "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
        done = subprocess.run([sys.executable, "-m", "cli.main", "train"], cwd=ROOT, env=environment, check=False)
        if done.returncode or not target.is_file():
            raise Failed("training did not end well; what went wrong stands above")
    return target


def _start(group: processes.Group, settings: Settings, model: Path) -> None:
    """The gateway first: it answers danger while Rasa still loads."""
    common = {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        "RASA_TELEMETRY_ENABLED": "false",
        "RAHNUMA_ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
        "RAHNUMA_TRACKER_DB": str(settings.data_dir / "trackers.sqlite3"),
        # Rasa logs texts and whole trackers below this level.
        "LOG_LEVEL": "ERROR",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "SANIC_HOST": "127.0.0.1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    logs = settings.data_dir / "log"
    logs.mkdir(mode=0o700, exist_ok=True)
    python = sys.executable
    group.start("gateway", [python, "-m", "cli.main", "gateway"], common, logs)
    group.start(
        "actions", [python, "-m", "rasa_sdk", "--actions", "actions", "-p", str(settings.actions_port)], common, logs
    )
    rasa = [python, "-m", "rasa", "run", "--enable-api", "-i", "127.0.0.1", "-p", str(settings.rasa_port)]
    files = ["--model", str(model), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
    group.start("rasa", [*rasa, *files], common, logs)


def _check_disk(settings: Settings) -> None:
    free = shutil.disk_usage(settings.data_dir).free
    if free < _NEEDED_BYTES:
        raise Failed(f"the disk is full: {free // 1024 // 1024} MB left for {settings.data_dir}")


def _check_ports(settings: Settings) -> None:
    wanted = {
        "RAHNUMA_BOT_PORT": (settings.bind, settings.bot_port),
        "RASA_PORT": ("127.0.0.1", settings.rasa_port),
        "ACTIONS_PORT": ("127.0.0.1", settings.actions_port),
        "RAHNUMA_METRICS_PORT": ("127.0.0.1", settings.metrics_port),
    }
    for name, (host, port) in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Failed(f"{name}: port {port} on {host} cannot be used ({error.strerror})") from error


def _check_content() -> None:
    try:
        compile_catalogues(ROOT)
        from bot.understanding import Reader
        from content.speaker import Speaker

        Reader.load(ROOT, Speaker.load(ROOT).topics, None)
    except SourceError as error:
        raise Failed(f"content: {error}") from error
    except OSError:
        raise
    except Exception as error:  # broken content of any kind is one line for the operator
        raise Failed(f"content: {' '.join(str(error).split())[:300]}") from error


def _check_token(settings: Settings) -> None:
    """Fail where Telegram does not know the token; go on where Telegram is out of reach."""
    if settings.telegram_token is None:
        return
    try:
        answer = httpx.get(f"{settings.telegram_api_url}/bot{settings.telegram_token}/getMe", timeout=8.0)
    except httpx.HTTPError as error:
        console.print(f"Telegram cannot be reached now ({type(error).__name__}); the bot keeps trying.")
        return
    if answer.status_code in (401, 404):
        raise Failed("TELEGRAM_TOKEN: Telegram does not know this token")


def _migrate(settings: Settings) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from bot.gateway_store import MIGRATIONS
    from store.engine import make_engine, migrate

    databases = {
        "DATABASE_URL": (settings.database_url, ROOT / "store" / "migrations"),
        "GATEWAY_DATABASE_URL": (settings.gateway_database_url, MIGRATIONS),
    }
    for name, (url, scripts) in databases.items():
        engine = make_engine(url)
        try:
            migrate(engine, scripts)
        except SQLAlchemyError as error:
            raise Failed(f"{name}: the database cannot be used ({_cause(error)})") from error
        finally:
            engine.dispose()


def _cause(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]


def _stop_on_signals() -> Callable[[], bool]:
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: stopped.append(received))
    return lambda: bool(stopped)


def _wait_until_ready(group: processes.Group, settings: Settings, stopping: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with console.status("starting"):
        while not stopping():
            _fail_if_dead(group)
            report = _health(settings)
            if report.get("status") == "ok":
                return
            if time.monotonic() > deadline:
                raise Failed(f"not ready after {_READY_SECONDS} s: {report.get('parts')}")
            time.sleep(_POLL_SECONDS)


def _health(settings: Settings) -> dict[str, Any]:
    try:
        report: dict[str, Any] = httpx.get(f"{_address(settings)}/health", timeout=5.0).json()
    except (httpx.HTTPError, ValueError):
        return {}
    return report


def _address(settings: Settings) -> str:
    everywhere = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    host = "127.0.0.1" if settings.bind in everywhere else settings.bind
    return f"http://{host}:{settings.bot_port}"


def _print_addresses(settings: Settings) -> None:
    table = Table(show_header=False)
    table.add_row("web chat", f"{_address(settings)}/")
    table.add_row("health", f"{_address(settings)}/health")
    table.add_row("metrics", f"http://127.0.0.1:{settings.metrics_port}/metrics")
    table.add_row("Telegram", _telegram_state(settings))
    table.add_row("logs", str(settings.data_dir / "log"))
    Console().print(table)
    if settings.telegram_token and settings.telegram_api_url == TELEGRAM_PUBLIC_API:
        _print_never_called()


def _telegram_state(settings: Settings) -> str:
    if settings.telegram_token is None:
        return "no TELEGRAM_TOKEN: the web chat stands in for it"
    return f"webhook at {settings.public_url}/telegram/webhook" if settings.public_url else "polling"


def _print_never_called() -> None:
    table = ContactTable.load(ROOT / "content" / "danger" / "contacts.yml")
    numbers = ", ".join(f"{contact.number}" for contact in table.never_called())
    if numbers:
        Console().print(f"Numbers in safety texts that nobody has called yet to try them: {numbers}")


def _watch(group: processes.Group, stopping: Callable[[], bool]) -> None:
    while not stopping():
        _fail_if_dead(group)
        time.sleep(_POLL_SECONDS)


def _fail_if_dead(group: processes.Group) -> None:
    dead: Child | None = group.dead()
    if dead is not None:
        raise Failed(f"{dead.name} ended (exit code {dead.code}){dead.last_words()}; see {dead.log}")

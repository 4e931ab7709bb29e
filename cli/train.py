"""``rahnuma train``: trains where no model fits the present data."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import settings as settings_module
from cli import model
from cli.failing import Failed
from settings import ROOT, Settings

console = Console(stderr=True)


def train(force: Annotated[bool, typer.Option(help="Train even where a model fits the present data.")] = False) -> None:
    """Train the model from examples, rules and configuration."""
    trained = ensure_trained(settings_module.load(), force=force)
    typer.echo(f"model: {trained.name}")


def ensure_trained(settings: Settings, *, force: bool = False) -> Path:
    """The model of the present data, trained now where there is none."""
    target = model.path_of(settings, model.fingerprint())
    if target.is_file() and not force:
        return target
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _progress("training (this happens once, and after examples change)"):
        _train(settings, target)
    console.print(f"trained in {time.monotonic() - started:.0f} s")
    model.drop_old(settings)
    return target


def _train(settings: Settings, target: Path) -> None:
    import rasa.model_training
    from rasa.shared.exceptions import RasaException

    building = f"building-{os.getpid()}"
    try:
        with (
            contextlib.chdir(ROOT),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            result = rasa.model_training.train(
                domain=str(ROOT / "domain"),
                config=str(ROOT / "config.yml"),
                training_files=[str(ROOT / "nlu" / "examples"), str(ROOT / "rules")],
                output=str(settings.models_dir),
                force_training=True,
                fixed_model_name=building,
            )
    except RasaException as error:
        raise Failed(f"training failed: {_one_line(error)}") from error
    except OSError as error:
        raise Failed(f"training failed: {error.strerror or error} ({settings.models_dir})") from error
    if not result.model:
        raise Failed("training failed: Rasa made no model")
    made = Path(result.model)
    made.chmod(0o600)
    made.replace(target)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


@contextlib.contextmanager
def _progress(text: str) -> Iterator[None]:
    """A moving line with what training says of itself, while it runs."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(text)
        handler = _Show(lambda words: progress.update(task, description=f"{text}: {words}"))
        ours = logging.getLogger("nlu")
        ours.setLevel(logging.INFO)
        ours.addHandler(handler)
        try:
            yield
        finally:
            ours.removeHandler(handler)


class _Show(logging.Handler):
    """Hands each record's text on."""

    def __init__(self, show) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """See parent class."""
        self._show(record.getMessage())

"""Which model fits the present data: named by a fingerprint of everything it is trained from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cli.failing import NOT_TRAINED, Failed
from settings import ROOT, Settings

# What Rasa's training reads. Texts of answers are not among it: a changed answer needs no training.
_TRAINED_FROM = ("config.yml", "nlu/**/*.yml", "nlu/**/*.py", "rules/*.yml", "text/**/*.py", "text/**/*.yml")
_NOT_TRAINED_FROM = ("text/danger.py", "nlu/tracker_store.py")
_KEEP = 2


def fingerprint() -> str:
    """A name for the present data, the same on every machine."""
    digest = hashlib.sha256()
    for path in _inputs():
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for line in domain_skeleton():
        digest.update(line.encode())
    return digest.hexdigest()[:16]


def domain_skeleton() -> Iterator[str]:
    """What training knows of the domain: ids of intents, responses, slots and actions."""
    import yaml

    for path in sorted((ROOT / "domain").glob("*.yml")):
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise Failed(f"domain/{path.name}: not valid YAML{f' (line {mark.line + 1})' if mark else ''}") from error
        for key in ("intents", "responses", "slots", "actions", "forms", "entities"):
            for name in data.get(key) or ():
                yield f"{key}:{name}"


def path_of(settings: Settings, name: str) -> Path:
    """Where the model of a fingerprint lies."""
    return settings.models_dir / f"rahnuma-{name}.tar.gz"


def current(settings: Settings) -> Path:
    """The model that fits the present data, else the newest; fails where nothing is trained yet."""
    fitting = path_of(settings, fingerprint())
    if fitting.is_file():
        return fitting
    models = newest_first(settings)
    if not models:
        raise Failed("nothing is trained yet: run `rahnuma train`", NOT_TRAINED)
    return models[0]


def newest_first(settings: Settings) -> list[Path]:
    """The trained models, the newest first."""
    models = settings.models_dir.glob("rahnuma-*.tar.gz") if settings.models_dir.is_dir() else []
    return sorted(models, key=lambda path: path.stat().st_mtime, reverse=True)


def drop_old(settings: Settings) -> None:
    """Keep the two newest models."""
    for path in newest_first(settings)[_KEEP:]:
        path.unlink(missing_ok=True)


def _inputs() -> list[Path]:
    found = {path for pattern in _TRAINED_FROM for path in ROOT.glob(pattern)}
    return sorted(path for path in found if path.relative_to(ROOT).as_posix() not in _NOT_TRAINED_FROM)

"""Reading a YAML file so that what is wrong with it is one line that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class SourceError(Exception):
    """A content file that cannot be read; the text names the file and what is wrong."""


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises :class:`SourceError` where there is none."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" line {place.line + 1}" if place else ""
        raise SourceError(f"{path.name}{where}: not valid YAML") from error
    except OSError as error:
        raise SourceError(f"{path.name}: {error.strerror}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SourceError(f"{path.name}: expected a mapping")
    return data

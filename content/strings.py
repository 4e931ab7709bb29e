"""Catalogues follow the source: extract, update and compile, through Babel.

``messages.pot`` carries no dates and no line numbers, so that a difference shows words only. A
translation's state (draft, machine-checked, speaker-signed, expert-approved) is a translator's
comment on its entry: ``# state: speaker-signed 2026-12-01 N. N.``
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

from content.catalogue import DOMAIN, state_key
from content.languages import Languages
from content.source import Response, read_responses, strings, variants_of
from content.yaml_file import SourceError

STATE_PREFIX = "state:"
HEADER = "# Words of Rahnuma. Written by `make strings`; how to translate: docs/translating.md"


def extract_domain(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: dict[str, Any]
) -> Iterator[tuple[int, str, tuple[str, str], list[str]]]:
    """Babel extraction method for one Rasa domain file: ``(line, "pgettext", (context, text), notes)``."""
    path = Path(getattr(fileobj, "name", "domain.yml"))
    data = yaml.safe_load(fileobj.read()) or {}
    for name, rows in (data.get("responses") or {}).items():
        response = Response(name=name, file=path, variants=variants_of(path, name, rows))
        for string in strings(response):
            yield 1, "pgettext", (string.context, string.text), [string.note] if string.note else []


def template(domain_dir: Path) -> Catalog:
    """The catalogue of English strings, sorted by file and response."""
    catalog = Catalog(project="Rahnuma", version="1", charset="utf-8", fuzzy=False, header_comment=HEADER)
    for response in read_responses(domain_dir).values():
        for string in strings(response):
            notes = [f"area: {response.file.stem}"] + ([string.note] if string.note else [])
            catalog.add(string.text, context=string.context, auto_comments=notes)
    return catalog


def catalogue_path(locale: Path, code: str) -> Path:
    """Where a language's words stand."""
    return locale / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(path: Path, code: str | None = None) -> Catalog:
    """Read one ``.po`` file; raises :class:`content.source.SourceError` naming it where it is broken."""
    try:
        with path.open("rb") as handle:
            return read_po(handle, locale=code, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        name = "/".join(path.parts[-3:])
        raise SourceError(f"{name}: {' '.join(str(error).split())[:100]}") from error


def as_text(catalog: Catalog) -> bytes:
    """A catalogue as it stands on disk: no dates, no line numbers, stable order."""
    buffer = io.BytesIO()
    # The previous English is left out: Babel reads it back as a translator's comment, and writes it again.
    write_po(buffer, catalog, omit_header=False, no_location=True, width=100, include_previous=False)
    kept = [line for line in buffer.getvalue().split(b"\n") if not line.startswith(_DATED)]
    return b"\n".join(kept)


_DATED = (
    b'"POT-Creation-Date',
    b'"PO-Revision-Date',
    b'"Generated-By',
    b'"Report-Msgid-Bugs-To',
    b'"Last-Translator',
    b'"Language-Team',
)


def update(root: Path) -> dict[Path, bytes]:
    """What ``make strings`` would write: the template and each catalogue, by path."""
    locale = root / "content" / "locale"
    pot = template(root / "domain")
    written = {locale / f"{DOMAIN}.pot": as_text(pot)}
    for code in Languages.load(root / "content" / "languages.yml").translated:
        path = catalogue_path(locale, code)
        catalog = read(path, code) if path.is_file() else Catalog(locale=code)
        catalog.project, catalog.version, catalog.header_comment = "Rahnuma", "1", HEADER
        catalog.update(pot, no_fuzzy_matching=False, update_header_comment=False)
        catalog.obsolete.clear()
        catalog.fuzzy = False
        written[path] = as_text(catalog)
    return written


def compile_catalogues(root: Path) -> list[Path]:
    """Write ``.mo`` files and the table of states beside them, where the source is newer."""
    locale = root / "content" / "locale"
    made = []
    for code in Languages.load(root / "content" / "languages.yml").translated:
        path = catalogue_path(locale, code)
        if not path.is_file():
            continue
        catalog = read(path, code)
        target = path.with_suffix(".mo")
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        table = {state_key(m.context or "", str(m.id)): state_label(m) for m in catalog if m.id and m.string}
        _replace(target, compiled.getvalue())
        _replace(path.with_suffix(".states.json"), json.dumps(table, ensure_ascii=False).encode("utf-8"))
        made.append(target)
    return made


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step: another process never reads half of it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def state_label(message: Message) -> str:
    """The state written in an entry's comments; ``draft`` where none is."""
    for comment in message.user_comments:
        if comment.strip().startswith(STATE_PREFIX):
            words = comment.strip().removeprefix(STATE_PREFIX).split()
            return words[0] if words else "draft"
    return "draft"

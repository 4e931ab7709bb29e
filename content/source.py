"""The English source: Rasa responses in ``domain/*.yml``, cut into the sentences that are translated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from content.yaml_file import SourceError, read_yaml

PARAGRAPH_BREAK = "\n\n"


@dataclass(frozen=True)
class Variant:
    """One wording of a response, for everybody or for one site."""

    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    buttons: tuple[dict[str, str], ...] = ()
    site: str | None = None

    @property
    def paragraphs(self) -> list[str]:
        """The units of translation."""
        return [part.strip() for part in self.text.strip().split(PARAGRAPH_BREAK) if part.strip()]


@dataclass(frozen=True)
class Response:
    """All wordings of one response id; the last one without a site serves everybody."""

    name: str
    file: Path
    variants: tuple[Variant, ...]

    def variant(self, site: str | None) -> Variant:
        """The wording for a site, or the general one."""
        for variant in self.variants:
            if variant.site and variant.site == site:
                return variant
        return self.default

    @property
    def default(self) -> Variant:
        """The wording for people without a site."""
        return next((v for v in reversed(self.variants) if v.site is None), self.variants[-1])


@dataclass(frozen=True)
class SourceString:
    """One English sentence or paragraph to translate, with the response it belongs to."""

    context: str
    text: str
    file: Path
    note: str


def read_responses(domain_dir: Path) -> dict[str, Response]:
    """Every response of every domain file, by name.

    Raises :class:`SourceError` naming the file where the YAML is broken, a text is missing or a
    response stands twice.
    """
    responses: dict[str, Response] = {}
    for path in sorted(domain_dir.glob("*.yml")):
        for name, response in _read_file(path).items():
            if name in responses:
                raise SourceError(f"{path.name}: {name} also stands in {responses[name].file.name}")
            responses[name] = response
    return responses


def strings(response: Response) -> Iterator[SourceString]:
    """The translatable strings of a response, each once: title, paragraphs, button labels."""
    seen: set[str] = set()
    for variant in response.variants:
        note = str(variant.metadata.get("note", ""))
        candidates = [str(variant.metadata.get("title", "")), *variant.paragraphs]
        candidates += [button["title"] for button in variant.buttons]
        for text in candidates:
            if text and text not in seen:
                seen.add(text)
                yield SourceString(context=response.name, text=text, file=response.file, note=note)


def _read_file(path: Path) -> dict[str, Response]:
    entries = read_yaml(path).get("responses") or {}
    return {
        name: Response(name=name, file=path, variants=variants_of(path, name, rows)) for name, rows in entries.items()
    }


def variants_of(path: Path, name: str, rows: Any) -> tuple[Variant, ...]:
    """The wordings of one response; raises :class:`SourceError` where one has no text."""
    if not isinstance(rows, list) or not rows:
        raise SourceError(f"{path.name}: {name} has no text")
    return tuple(_variant(path, name, row) for row in rows)


def _variant(path: Path, name: str, row: Any) -> Variant:
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise SourceError(f"{path.name}: {name} has a variant without text")
    site = next((str(c["value"]) for c in row.get("condition", ()) if c.get("name") == "site"), None)
    return Variant(
        text=row["text"].strip(),
        metadata=row.get("metadata") or {},
        buttons=tuple(row.get("buttons") or ()),
        site=site,
    )

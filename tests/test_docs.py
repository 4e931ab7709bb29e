"""Documents that fail when they lie: settings, commands, paths, columns, and what no file may name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from bot import models as gateway_models
from cli.main import app
from settings import ROOT
from store import models as record_models

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
EXPECTED = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/contracts.md",
    "docs/privacy.md",
    "docs/protection.md",
    "docs/settings.md",
    "docs/translating.md",
    "docs/understanding.md",
)
TABLES = {**gateway_models.Base.metadata.tables, **record_models.Base.metadata.tables}

_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```|^ {4,}\S[^\n]*|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)")
_VERB = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?rahnuma ([a-z]+)(?: ([a-z]+))?")
_LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
_NAME_OF_A_FILE = re.compile(r"[\w.][\w./-]*")
_SUFFIXES = (".css", ".html", ".js", ".lock", ".md", ".mako", ".pot", ".py", ".toml", ".yml")
_NUMBERED_RULE = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)

# Written in pieces, so that this file does not name them.
_FORBIDDEN = {
    "the workplace": re.compile(r"\.\./sha" + r"red\b|(?<![\w./-])/wo" + r"rk/"),
    "a home folder": re.compile(r"(?<![\w./:-])/(?:ro" + r"ot|home/\w+|Use" + r"rs/\w+)/"),
}


def by_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def code_in(path: Path) -> str:
    """What stands in backticks, in fences or indented by four: commands and names, no prose."""
    return "\n".join(match[0] for match in _CODE.finditer(read(path)))


@cache
def files() -> frozenset[str]:
    """What git tracks or would track; needs a checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: nothing says which files are ours")
    return frozenset(name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())


def folders() -> set[str]:
    return {parent.as_posix() for name in files() for parent in Path(name).parents} - {"."}


def test_every_document_is_there() -> None:
    assert [name for name in EXPECTED if not (ROOT / name).is_file()] == []


# Settings


def settings_read() -> set[str]:
    """Names in ``settings.py`` that look like an environment variable and stand in a string of their own."""
    tree = ast.parse(read(ROOT / "settings.py"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if _SETTING.fullmatch(text)}


def test_every_setting_has_a_heading_and_no_other_has() -> None:
    headings = {heading for heading in _HEADING.findall(read(ROOT / "docs/settings.md")) if _SETTING.fullmatch(heading)}
    assert settings_read() == headings


def test_the_overview_of_settings_is_complete() -> None:
    assert {name for name in settings_read() if f"`{name}`" not in read(ROOT / "docs/contracts.md")} == set()


# Commands


def targets() -> dict[str, bool]:
    """Every rule of the Makefile, and whether ``make help`` shows it."""
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", read(ROOT / "Makefile"), re.MULTILINE)
    return {name: "## " in rest for name, rest in rules}


def verbs() -> Iterator[tuple[str, bool]]:
    """Every verb with the verbs below it, as typed, and whether ``--help`` shows it."""
    for name, command in group_of(typer.main.get_command(app)).items():
        below = group_of(command)
        yield name, not command.hidden
        yield from ((f"{name} {verb}", not (command.hidden or one.hidden)) for verb, one in below.items())


def group_of(command: click.Command) -> dict[str, click.Command]:
    return dict(getattr(command, "commands", {}))


@each_document
def test_commands_that_are_named_exist(document: Path) -> None:
    code = code_in(document)
    known = dict(verbs())
    groups = {name.split()[0] for name in known if " " in name}
    unknown = [f"make {name}" for name in _TARGET.findall(code) if name not in targets()]
    for verb, below in _VERB.findall(code):
        wanted = f"{verb} {below}".strip() if verb in groups else verb
        if wanted not in known:
            unknown.append(f"rahnuma {wanted}")
    assert unknown == []


def test_every_public_command_is_documented() -> None:
    contracts = code_in(ROOT / "docs/contracts.md")
    wanted = {f"rahnuma {name}" for name, shown in verbs() if shown} - {"rahnuma content"}
    wanted |= {f"make {name}" for name, shown in targets().items() if shown}
    assert {command for command in wanted if not re.search(rf"`{command}[ `]", contracts)} == set()


# Paths


def looks_like_a_file(token: str) -> bool:
    """A name with a known ending, or with a folder of ours in front; placeholders and globs are neither."""
    if not _NAME_OF_A_FILE.fullmatch(token):
        return False
    first, slash, _ = token.partition("/")
    return token.endswith(_SUFFIXES) or (bool(slash) and first in folders())


def is_there(token: str, document: Path) -> bool:
    name = token.rstrip("/")
    beside = (document.parent / name).resolve()
    here = beside.relative_to(ROOT).as_posix() if beside.is_relative_to(ROOT) else name
    known = files() | folders()
    return name in known or here in known or ("/" not in name and any(Path(one).name == name for one in known))


@each_document
def test_paths_in_backticks_exist(document: Path) -> None:
    tokens = {token for span in re.findall(r"`([^`\n]+)`", read(document)) for token in span.split()}
    missing = {token for token in tokens if looks_like_a_file(token) and not is_there(token, document)}
    assert missing == set()


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    links = [target.partition("#")[0] for image, target in _LINK.findall(read(document)) if not image]
    missing = {link for link in links if link and "://" not in link and not is_there(link, document)}
    assert missing == set()


def test_the_map_of_folders_is_complete() -> None:
    wanted = {name.split("/")[0] for name in files() if "/" in name and not name.startswith(".")}
    for document in (ROOT / "README.md", ROOT / "docs/architecture.md"):
        mapped = set(re.findall(r"^\| `(\w+)/` \|", read(document), re.MULTILINE)) | {"docs"}
        assert mapped == wanted | {"docs"}, by_name(document)


# What is stored


def columns_in_privacy() -> dict[str, list[str]]:
    """The columns that docs/privacy.md lists under the heading of each table."""
    parts = re.split(r"^### `(\w+)`$", read(ROOT / "docs/privacy.md"), flags=re.MULTILINE)[1:]
    sections = {name: body.split("\n## ")[0] for name, body in zip(parts[::2], parts[1::2])}
    return {name: re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE) for name, body in sections.items()}


def test_privacy_names_every_table_and_no_other() -> None:
    assert set(columns_in_privacy()) == set(TABLES)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_privacy_names_every_column(table: str) -> None:
    assert columns_in_privacy()[table] == [column.name for column in TABLES[table].columns]


def test_the_rules_of_protection_keep_their_numbers() -> None:
    text = read(ROOT / "docs/protection.md")
    assert [int(number) for number in _NUMBERED_RULE.findall(text)] == list(range(1, 32))
    rules = re.split(r"^(?=\d+\. \*\*)", text, flags=re.MULTILINE)[1:]
    silent = [rule[:40] for rule in rules if not re.search(r"—\s+(Built|Partly|Planned)\b", rule)]
    assert silent == []


# What no file may name


def test_no_file_names_a_path_of_a_machine() -> None:
    found = []
    for name in sorted(files()):
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            found += [f"{name}:{number}: {what}" for what, pattern in _FORBIDDEN.items() if pattern.search(line)]
    assert found == []

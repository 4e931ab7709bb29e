"""``rahnuma content``: extract strings, check content, report translations."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.failing import Failed
from content.check import check as run_check
from content.report import translation_report
from content.strings import compile_catalogues, update
from content.yaml_file import SourceError
from settings import ROOT

app = typer.Typer(help="Answers and translations.", no_args_is_help=True)


@app.command("strings")
def strings(
    check: Annotated[bool, typer.Option(help="Only say whether catalogues follow the source.")] = False,
) -> None:
    """Bring the catalogues up to date with the English source."""
    try:
        wanted = update(ROOT)
    except SourceError as error:
        raise Failed(str(error)) from error
    changed = [path for path, data in wanted.items() if not path.is_file() or path.read_bytes() != data]
    if check and changed:
        raise Failed(f"{changed[0].relative_to(ROOT)} does not follow the source: run `make strings`")
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[path])
    if not check:
        compile_catalogues(ROOT)
    typer.echo(f"{len(changed)} catalogues changed" if changed else "catalogues follow the source")


@app.command("compile")
def compile_() -> None:
    """Compile the catalogues."""
    typer.echo(f"{len(compile_catalogues(ROOT))} catalogues compiled")


@app.command("check")
def check() -> None:
    """Fail on anything in the content that could mislead or hurt somebody."""
    problems = run_check(ROOT)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise Failed(f"{len(problems)} problems in the content")
    typer.echo("content is sound")


@app.command("report")
def report() -> None:
    """Print how far each translation has come."""
    table = Table(
        "language", "strings", "missing", "fuzzy", "draft", "machine-checked", "speaker-signed", "expert-approved"
    )
    for line in translation_report(ROOT):
        table.add_row(line.language, *[str(number) for number in line.numbers])
    Console().print(table)

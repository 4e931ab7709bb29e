"""``rahnuma``: one command with a verb per file.

Exit codes: 0 done, 1 failed with one line on stderr, 2 wrong use or unreadable input, 3 nothing
trained yet.
"""

from __future__ import annotations

import os
import sys

# Read before numpy or TensorFlow load: one thread each where people wait, all where we train; no noise.
os.environ.setdefault("OMP_NUM_THREADS", str((os.cpu_count() or 1) if sys.argv[1:2] == ["train"] else 1))
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")

import typer

from cli import ask, content, evaluate, gateway, train, up
from cli.failing import Failed
from settings import SettingError

app = typer.Typer(
    name="rahnuma",
    help="Rahnuma: answers for people on the move, in five languages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("train")(train.train)
app.command("ask")(ask.ask)
app.command("evaluate")(evaluate.evaluate)
app.command("gateway", hidden=True)(gateway.gateway)
app.add_typer(content.app, name="content")


def main() -> None:
    """Run a verb; turn what can go wrong into one line and an exit code."""
    try:
        app()
    except Failed as failure:
        sys.stderr.write(f"rahnuma: {failure}\n")
        sys.exit(failure.code)
    except SettingError as error:
        sys.stderr.write(f"rahnuma: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

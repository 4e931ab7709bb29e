"""``rahnuma ask``: one question, answered here without a server."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

import settings as settings_module
from bot.decide import Decision, Verdict
from bot.language_choice import language_of_turn
from cli.brain import Brain
from cli.evaluate import COLUMNS, row
from cli.failing import WRONG_USE, Failed
from content.messages import Message
from content.speaker import Speaker
from content.strings import compile_catalogues
from settings import ROOT
from text.language import Identified


def ask(
    text: Annotated[str, typer.Argument(help="What a person writes.")],
    language: Annotated[str | None, typer.Option(help="Answer in this language.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Answer one message as the bot would answer a stranger."""
    settings = settings_module.load()
    compile_catalogues(ROOT)
    speaker = Speaker.load(ROOT)
    if language is not None and language not in speaker.languages:
        raise Failed(f"--language: one of {' '.join(speaker.languages.codes)}", WRONG_USE)
    brain = Brain(settings)
    verdict = brain.verdict(text)
    message = answer(speaker, verdict, language or _spoken(verdict))
    if as_json:
        typer.echo(json.dumps(_report(speaker, verdict, message), ensure_ascii=False))
    else:
        typer.echo(message.text)
        for button in message.buttons:
            typer.echo(f"  [{button.title}]")


def answer(speaker: Speaker, verdict: Verdict, language: str) -> Message:
    """The message that a decision leads to."""
    if verdict.danger_topic:
        return speaker.safety(verdict.danger_topic, language)
    if verdict.decision is Decision.OFFER:
        return speaker.unsure(verdict.guesses, language)
    if verdict.decision is Decision.REFUSE and verdict.language in speaker.languages:
        return speaker.out_of_scope(language)
    if verdict.decision is Decision.REFUSE:
        return speaker.unsupported(verdict.language, language)
    return speaker.respond(f"utter_{verdict.topic}", language)


def _spoken(verdict: Verdict) -> str:
    said = Identified(verdict.language, 1.0, None)
    return language_of_turn(message=said, letters=len(verdict.language) + 1, choice=None, last_clear=None, hint=None)


def _report(speaker: Speaker, verdict: Verdict, message: Message) -> dict[str, Any]:
    filler = tuple(topic.id for topic in speaker.topics)
    report: dict[str, Any] = dict(zip(COLUMNS, row(verdict, filler)))
    report["confidence"] = float(report["confidence"])
    report["danger"] = verdict.danger_topic is not None
    buttons = [asdict(button) for button in message.buttons]
    report["answer"] = [{"text": message.text, "buttons": buttons}]
    return report

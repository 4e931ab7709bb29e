"""The whole decision for one message in one process: trained model, word lists, language. No server."""

from __future__ import annotations

import asyncio
import logging
import warnings
from pathlib import Path
from typing import Any

from bot.decide import Ranking, Verdict
from bot.understanding import Reader, for_the_parser
from cli import model
from cli.failing import NOT_TRAINED, Failed
from content.topics import Topics
from settings import ROOT, Settings
from text.normalise import light


class Brain:
    """Understands messages like the running bot does, for a stranger without history."""

    def __init__(self, settings: Settings) -> None:
        self._path = model.current(settings)
        self._topics = Topics.load(ROOT / "content" / "topics.yml")
        self._reader = Reader.load(ROOT, self._topics, self._path)
        self._processor = _load(self._path)
        self._loop = asyncio.new_event_loop()

    def verdict(self, text: str) -> Verdict:
        """The decision for a message."""
        reading = self._reader.read(text)
        return self._reader.verdict(reading, self._ranking(reading.text))

    def _ranking(self, text: str) -> Ranking:
        words = for_the_parser(text)
        if not light(words):
            return ()
        from rasa.core.channels.channel import UserMessage

        parsed = self._loop.run_until_complete(
            self._processor.parse_message(UserMessage(words), only_output_properties=True)
        )
        return [(str(row["name"]), float(row["confidence"])) for row in parsed.get("intent_ranking", ())]


def _silence() -> None:
    """Rasa logs every text at debug level, and its libraries warn on import: neither belongs here."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger().setLevel(logging.CRITICAL)
    warnings.showwarning = lambda *_, **__: None


def _load(path: Path) -> Any:
    _silence()
    from rasa.core.agent import Agent
    from rasa.shared.exceptions import RasaException

    try:
        agent = Agent.load(str(path))
    except (RasaException, OSError, ValueError) as error:
        raise Failed(f"the model {path.name} cannot be loaded: {type(error).__name__}", NOT_TRAINED) from error
    if agent.processor is None:
        raise Failed(f"the model {path.name} cannot be loaded", NOT_TRAINED)
    return agent.processor

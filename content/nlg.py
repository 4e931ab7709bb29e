"""The NLG that Rasa speaks through: public catalogue text in the person's language.

The gateway sends ``language``, ``site``, ``guesses`` and a ``turn`` id as metadata. The turn id goes
back with every message, so that the gateway can tell an answer to its turn from silence.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Optional

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from content import keys
from content.catalogue import APOLOGY
from content.languages import SOURCE_LANGUAGE
from content.messages import Message
from content.speaker import Speaker

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent


class CatalogueNLG(NaturalLanguageGenerator):
    """Looks responses up in the catalogue; always ends in a sentence."""

    def __init__(self, endpoint_config: Optional[EndpointConfig] = None, domain: Any = None) -> None:
        """Read the catalogue once; see parent class for the arguments."""
        self._speaker = Speaker.load(ROOT)

    async def generate(
        self,
        utter_action: str,
        tracker: DialogueStateTracker,
        output_channel: str,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The response as Rasa wants it, with our turn id beside it."""
        metadata = dict(tracker.latest_message.metadata or {}) if tracker.latest_message else {}
        try:
            message = self._message(utter_action, metadata)
        except (KeyError, ValueError, TypeError) as error:
            logger.error("response %s could not be said: %s", utter_action, type(error).__name__)
            message = Message(APOLOGY, SOURCE_LANGUAGE, response=utter_action)
        return as_rasa(message, metadata.get("turn"))

    def _message(self, utter_action: str, metadata: dict[str, Any]) -> Message:
        return self._speaker.respond(
            utter_action,
            str(metadata.get("language") or SOURCE_LANGUAGE),
            site=metadata.get("site"),
            guesses=tuple(metadata.get("guesses") or ()),
        )


def as_rasa(message: Message, turn: Any) -> dict[str, Any]:
    """A message as a Rasa response; buttons of topics become intents, so ``rasa shell`` can tap them."""
    response: dict[str, Any] = {"text": message.text}
    if message.buttons:
        response["buttons"] = [{"title": b.title, "payload": _payload(b.data)} for b in message.buttons]
    if turn is not None:
        rows = [len(row) for row in message.rows]
        response["custom"] = {
            "turn": turn,
            "response": message.response,
            "language": message.language,
            "kind": message.kind.value,
            "rows": rows,
        }
    return response


def _payload(data: str) -> str:
    return "/" + data.removeprefix(keys.TOPIC) if data.startswith(keys.TOPIC) else data

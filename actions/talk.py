"""Actions of small talk."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

# What is not worth saying again: the bot's own small words.
_SMALL_WORDS = {"repeat", "thanks", "affirm", "deny", "stop", "greet", "goodbye", "nlu_fallback", "out_of_scope"}
NOTHING_YET = "utter_repeat"


class ActionRepeat(Action):
    """Says the last answer again."""

    def name(self) -> str:
        """The name that rules use."""
        return "action_repeat"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> List[Dict[str, Any]]:
        """Utters the response of the last topic, or says that there is none."""
        dispatcher.utter_message(response=last_response(tracker.events))
        return []


def last_response(events: List[Dict[str, Any]]) -> str:
    """The response of the last topic in a dialogue's events."""
    intents = (
        event.get("parse_data", {}).get("intent", {}).get("name")
        for event in reversed(events)
        if event.get("event") == "user"
    )
    topic = next((name for name in intents if name and name not in _SMALL_WORDS), None)
    return f"utter_{topic}" if topic else NOTHING_YET

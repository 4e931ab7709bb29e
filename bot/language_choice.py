"""Which language a person is answered in."""

from __future__ import annotations

from content.languages import SOURCE_LANGUAGE
from text.language import OURS, Identified

CLEAR = 0.85
_FEW_LETTERS = 3


def language_of_turn(
    *,
    message: Identified | None,
    letters: int,
    choice: str | None,
    last_clear: str | None,
    hint: str | None,
) -> str:
    """The language of an answer, in this order of precedence:

    1. this message, if it is clear (one of ours, probable, more than a letter or two);
    2. the language that the person chose with a button;
    3. the language of their last clear message;
    4. Telegram's own setting;
    5. English.

    A code that is not one of ours is passed over. Nothing here changes the choice: only a button does.
    """
    if message is not None and is_clear(message, letters):
        return message.language
    return next((code for code in (choice, last_clear, hint) if code in OURS), None) or SOURCE_LANGUAGE


def is_clear(message: Identified, letters: int) -> bool:
    """Whether a message shows its language well enough to answer in it."""
    return message.ours and message.probability >= CLEAR and letters >= _FEW_LETTERS

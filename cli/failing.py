"""Failing with one line and an exit code."""

from __future__ import annotations

FAILED, WRONG_USE, NOT_TRAINED = 1, 2, 3


class Failed(Exception):
    """The verb cannot do its work; the text is the one line that an operator reads."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code

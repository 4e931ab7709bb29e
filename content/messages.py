"""What goes out to a person, before it is rendered for a channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a message is for; safety goes out before answers, answers before announcements."""

    SAFETY = "safety"
    ANSWER = "answer"
    LINE = "line"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True)
class Button:
    """A label and the short key that comes back when it is tapped (at most 64 bytes)."""

    title: str
    data: str


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Message:
    """One message in one language, with its buttons in rows."""

    text: str
    language: str
    rows: Rows = ()
    kind: Kind = Kind.ANSWER
    response: str = ""

    def with_rows(self, *rows: tuple[Button, ...]) -> Message:
        """The same message with more rows of buttons below."""
        return replace(self, rows=self.rows + tuple(row for row in rows if row))

    def with_text(self, *paragraphs: str) -> Message:
        """The same message with more paragraphs below."""
        return replace(self, text="\n\n".join([self.text, *[p for p in paragraphs if p]]))

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, row by row."""
        return tuple(button for row in self.rows for button in row)


def stacked(*buttons: Button) -> Rows:
    """One button a row: the only layout in which long labels stay whole on a small phone."""
    return tuple((button,) for button in buttons)


def paired(buttons: list[Button]) -> Rows:
    """Two buttons a row."""
    return tuple(tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2))

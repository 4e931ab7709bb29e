"""The first-contact table of danger topics, read from ``danger/contacts.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content.yaml_file import read_yaml

POLICE = "police"


@dataclass(frozen=True)
class Contact:
    """A number, a link or a place that a safety text may name."""

    key: str
    response: str
    number: str | None
    link: str | None
    sources: tuple[str, ...]
    called_on: str | None

    @property
    def to_call(self) -> bool:
        """Whether it is reached by phone."""
        return self.number is not None


@dataclass(frozen=True)
class FirstContact:
    """Whom a danger topic sends to, in order, and the Bosnian sentence to show."""

    topic: str
    contacts: tuple[Contact, ...]
    show: str


class ContactTable:
    """The whole table; it is small, and reviewed as a whole."""

    def __init__(self, contacts: dict[str, Contact], topics: dict[str, FirstContact]) -> None:
        self.contacts = contacts
        self.topics = topics

    @classmethod
    def load(cls, path: Path) -> ContactTable:
        """Read the table; raises ``KeyError`` where a topic names a contact that is not in it."""
        data = read_yaml(path)
        contacts = {key: _contact(key, row) for key, row in data["contacts"].items()}
        topics = {
            topic: FirstContact(topic, tuple(contacts[key] for key in row["first"]), row["show"])
            for topic, row in data["topics"].items()
        }
        return cls(contacts, topics)

    def never_called(self) -> list[Contact]:
        """The numbers that nobody has called yet to see that they answer."""
        return [contact for contact in self.contacts.values() if contact.to_call and not contact.called_on]


def _contact(key: str, row: dict[str, Any]) -> Contact:
    called_on = row.get("called_on")
    return Contact(
        key=key,
        response=row["response"],
        number=row.get("number"),
        link=row.get("link"),
        sources=tuple(row.get("sources", ())),
        called_on=str(called_on) if called_on else None,
    )

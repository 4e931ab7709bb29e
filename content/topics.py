"""The topics by area, read from ``topics.yml``: ids, boundaries and which of them are danger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from content.yaml_file import read_yaml

OUT_OF_SCOPE = "out_of_scope"
TALK_AREA = "talk"
EMERGENCY_AREA = "emergency"


@dataclass(frozen=True)
class Topic:
    """One topic: its id is a Rasa intent everywhere."""

    id: str
    area: str
    means: str
    danger: bool = False


class Topics:
    """The topics in the order of the file."""

    def __init__(self, topics: list[Topic]) -> None:
        self._by_id = {topic.id: topic for topic in topics}

    @classmethod
    def load(cls, path: Path) -> Topics:
        """Read the file; raises ``KeyError`` where a topic has no ``means``."""
        areas = read_yaml(path)["areas"]
        return cls(
            [
                Topic(id=name, area=area, means=entry["means"], danger=entry.get("danger", False))
                for area, entries in areas.items()
                for name, entry in entries.items()
            ]
        )

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._by_id.values())

    def __contains__(self, topic_id: object) -> bool:
        return topic_id in self._by_id

    def __getitem__(self, topic_id: str) -> Topic:
        return self._by_id[topic_id]

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def danger(self) -> tuple[str, ...]:
        """The ids of the danger topics."""
        return tuple(topic.id for topic in self if topic.danger)

    @property
    def areas(self) -> dict[str, list[Topic]]:
        """Topics by area, in order."""
        areas: dict[str, list[Topic]] = {}
        for topic in self:
            areas.setdefault(topic.area, []).append(topic)
        return areas

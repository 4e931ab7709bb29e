"""Counting answers by day, topic and language; never a person."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite

from store.engine import is_sqlite
from store.models import DailyCount

NO_LANGUAGE = ""


def count(engine: Engine, *, day: date, language: str, topic: str, decision: str, danger: bool) -> None:
    """Add one. Danger is counted without language: a small group is a name."""
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    row = {
        "day": day,
        "language": NO_LANGUAGE if danger else language,
        "topic": topic,
        "decision": decision,
        "count": 1,
    }
    statement = insert(DailyCount).values(row)
    keys = [DailyCount.day, DailyCount.language, DailyCount.topic, DailyCount.decision]
    statement = statement.on_conflict_do_update(index_elements=keys, set_={"count": DailyCount.count + 1})
    with engine.begin() as connection:
        connection.execute(statement)

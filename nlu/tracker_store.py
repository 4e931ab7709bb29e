"""Rasa's SQL tracker store with an end: dialogues go 24 hours after their last event."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Optional

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

LIFETIME_SECONDS = 24 * 3600
_PURGE_EVERY_SECONDS = 300


class ExpiringTrackerStore(SQLTrackerStore):
    """Keeps intents, slots and references, never words, and forgets them."""

    def __init__(
        self,
        domain: Optional[Domain] = None,
        event_broker: Optional[EventBroker] = None,
        **kwargs: Any,
    ) -> None:
        """Opens the database; see parent class for the arguments."""
        super().__init__(domain=domain, event_broker=event_broker, **kwargs)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _overwrite_deleted)
            self.engine.dispose()
        threading.Thread(target=self._purge_for_ever, daemon=True, name="tracker-purge").start()

    def purge(self, before: float) -> None:
        """Deletes the dialogues whose last event is older than a time."""
        event = self.SQLEvent
        with self.session_scope() as session:
            silent = sa.select(event.sender_id).group_by(event.sender_id).having(sa.func.max(event.timestamp) < before)
            session.execute(sa.delete(event).where(event.sender_id.in_(silent)))
            session.commit()

    def _purge_for_ever(self) -> None:
        """Deletes what is due every few minutes, also while nobody writes."""
        while True:
            try:
                self.purge(time.time() - LIFETIME_SECONDS)
            except SQLAlchemyError as error:
                logger.error("trackers were not purged: %s", type(error).__name__)
            time.sleep(_PURGE_EVERY_SECONDS)


def _overwrite_deleted(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA secure_delete=ON")

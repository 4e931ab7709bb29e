"""Counters for operators, on a loopback port of their own; never a person, danger without language."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("rahnuma_received", "What came in, by channel and kind", ("channel", "kind"))
        self.decisions = self._counter("rahnuma_decisions", "Decisions by language", ("language", "decision"))
        self.dangers = self._counter("rahnuma_dangers", "Safety texts queued")
        self.failed_turns = self._counter("rahnuma_failed_turns", "Turns that Rasa did not take")
        self.sent = self._counter("rahnuma_sent", "Fates of messages sent", ("fate",))
        self.maybe_doubled = self._counter("rahnuma_maybe_doubled", "Messages that may have arrived twice")
        self.answer_seconds = Histogram(
            "rahnuma_answer_seconds", "From arrival to the queued answer", buckets=_BUCKETS, registry=self.registry
        )
        self.oldest_waiting = Gauge(
            "rahnuma_oldest_unanswered_seconds", "Age of the oldest unanswered message", registry=self.registry
        )

    def serve(self, port: int) -> None:
        """Answer ``/metrics`` on loopback; raises ``OSError`` where the port is taken."""
        start_http_server(port, addr="127.0.0.1", registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

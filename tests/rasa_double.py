"""A small HTTP server that stands in for Rasa: no model, no training, and misbehaviour on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

Answer = tuple[int, bytes]


@dataclass
class RasaDouble:
    """What the server answers, and what it was asked."""

    url: str = ""
    ranking: list[tuple[str, float]] = field(default_factory=lambda: [("asylum_work", 0.9), ("out_of_scope", 0.1)])
    turn: Callable[[dict[str, Any]], Any] = field(default_factory=lambda: told)
    status: int = 200
    raw: bytes | None = None
    silent: bool = False
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _over: Event = field(default_factory=Event)

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        """Status and body for a request."""
        self.asked.append((path, body))
        if self.silent:
            self._over.wait(60)  # until the test is over: the client has long given up
        if self.raw is not None:
            return self.status, self.raw
        if path == "/model/parse":
            rows = [{"name": name, "confidence": value} for name, value in self.ranking]
            return self.status, json.dumps({"intent_ranking": rows}).encode()
        if path == "/webhooks/rest/webhook":
            return self.status, json.dumps(self.turn(body)).encode()
        return self.status, b"{}"

    def close(self) -> None:
        """Let requests go that are still waiting."""
        self._over.set()


def told(body: dict[str, Any], text: str = "You may work.", **custom: Any) -> list[dict[str, Any]]:
    """One message with its envelope, as Rasa's REST channel gives it."""
    envelope = {
        "turn": body["metadata"]["turn"],
        "response": "utter_asylum_work",
        "language": body["metadata"]["language"],
        "kind": "answer",
        "rows": [1, 1],
        **custom,
    }
    buttons = [{"title": "Start", "payload": "/asylum_start"}, {"title": "Menu", "payload": "m:"}]
    sender = {"recipient_id": body["sender"]}
    return [{**sender, "text": text, "buttons": buttons}, {**sender, "custom": envelope}]


@contextmanager
def rasa_double() -> Iterator[RasaDouble]:
    """A server on a free port, for the length of a test."""
    double = RasaDouble()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            self._send(double.answer(self.path, json.loads(self.rfile.read(length) or b"{}")))

        def do_GET(self) -> None:
            self._send(double.answer(self.path, {}))

        def _send(self, answer: Answer) -> None:
            status, data = answer
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:  # the client did not wait
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.close()
        server.shutdown()
        server.server_close()
        thread.join()

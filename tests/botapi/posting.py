"""Posting to a webhook over kept-alive connections, with little machinery.

A load run shares its two cores with what it measures: this costs a fraction of a general
HTTP client, and a connection that is given up is closed at once.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11


class PostError(Exception):
    """No answer came; says why in Telegram's words."""


@dataclass
class Answer:
    """What a webhook answered."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def taken(self) -> bool:
        """Whether the update counts as delivered."""
        return 200 <= self.status < 300


@dataclass(eq=False)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    @property
    def usable(self) -> bool:
        return not self.writer.is_closing() and not self.reader.at_eof()

    async def exchange(self, request: h11.Request, content: bytes) -> Answer:
        for part in (request, h11.Data(data=content), h11.EndOfMessage()):
            self.writer.write(self.protocol.send(part) or b"")
        await self.writer.drain()
        answer: Answer | None = None
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                answer = Answer(event.status_code, event.reason.decode("latin-1"), headers)
            elif isinstance(event, h11.Data) and answer is not None:
                answer.body += event.data
            elif isinstance(event, h11.EndOfMessage) and answer is not None:
                return answer
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionError

    async def _next(self) -> object:
        while (event := self.protocol.next_event()) is h11.NEED_DATA:
            self.protocol.receive_data(await self.reader.read(65536))
        return event

    def keep(self) -> bool:
        """Make ready for the next exchange; False where the other side wants to close."""
        if self.protocol.our_state is not h11.DONE or self.protocol.their_state is not h11.DONE:
            return False
        self.protocol.start_next_cycle()
        return True


class Poster:
    """Posts to one address."""

    def __init__(self, url: str, *, timeout_s: float, trust: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._tls = (trust or ssl.create_default_context()) if parts.scheme == "https" else None
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._idle: list[_Line] = []

    async def post(self, content: bytes, headers: dict[str, str]) -> Answer:
        """Post JSON once; PostError where there is no answer."""
        request = h11.Request(
            method="POST",
            target=self._target,
            headers=[
                ("Host", self._netloc),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
                *headers.items(),
            ],
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(request, content)
        except TimeoutError:
            raise PostError("Read timeout expired") from None
        except ConnectionRefusedError:
            raise PostError("Connection refused") from None
        except (OSError, h11.ProtocolError):
            raise PostError("Webhook connection closed") from None

    async def _exchange(self, request: h11.Request, content: bytes) -> Answer:
        line = await self._line()
        kept = False
        try:
            answer = await line.exchange(request, content)
            kept = line.keep()
        finally:
            if kept:
                self._idle.append(line)
            else:
                line.writer.transport.abort()
        return answer

    async def _line(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if line.usable:
                return line
            line.writer.transport.abort()
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        return _Line(reader, writer)

    async def close(self) -> None:
        """Close the connections nobody uses; the others close with their exchange."""
        for line in self._idle:
            line.writer.transport.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # one round of the loop, in which the sockets are closed

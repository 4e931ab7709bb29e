"""``POST /telegram/webhook``: the status codes of the contract, and nothing stored but what was checked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot

from bot import inbox
from bot.crypto import Vault
from bot.gateway_store import GatewayStore
from bot.incoming import Sent
from bot.metrics import Metrics
from bot.models import Inbox
from bot.webhook import MAX_UPDATE, SECRET_HEADER, UpdateIntake, Webhook
from tests.conftest import free_ports
from tests.factories import LANGUAGES, chat, membership, message, tap, text_update, update

SECRET = "a-secret_of-Telegram"


@dataclass
class Door:
    """The webhook behind a client, with what lies behind it."""

    client: httpx.AsyncClient
    store: GatewayStore
    wake: asyncio.Event
    metrics: Metrics

    async def post(self, data: Any, secret: str | None = SECRET) -> int:
        """The status of a post."""
        headers = {} if secret is None else {SECRET_HEADER.encode(): secret.encode()}
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return (await self.client.post("/telegram/webhook", content=body, headers=headers)).status_code

    def stored(self) -> int:
        """How many messages are in the queue."""
        return self.store.run(lambda session: session.scalar(select(func.count()).select_from(Inbox)) or 0)


def client_of(webhook: Webhook) -> httpx.AsyncClient:
    async def receive(request: Request) -> Response:
        return await webhook(request)

    app = Starlette(routes=[Route("/telegram/webhook", receive, methods=["POST"])])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


def intake_of(store: GatewayStore, wake: asyncio.Event, metrics: Metrics) -> UpdateIntake:
    return UpdateIntake(store=store, bot=Bot("1:test"), languages=LANGUAGES, metrics=metrics, wake=wake)


@pytest.fixture
async def door(sqlite_store: GatewayStore) -> AsyncIterator[Door]:
    wake, metrics = asyncio.Event(), Metrics()
    async with client_of(Webhook(intake_of(sqlite_store, wake, metrics), SECRET)) as client:
        yield Door(client, sqlite_store, wake, metrics)


@pytest.fixture
def store_away() -> Iterator[GatewayStore]:
    """A store whose database does not answer."""
    store = GatewayStore(f"postgresql://root@127.0.0.1:{free_ports(1)[0]}/away", Vault(b"k" * 32))
    yield store
    store.close()


async def test_200_stored(door: Door) -> None:
    assert await door.post(text_update("salam")) == 200
    claimed = door.store.run(lambda session: inbox.claim(session, door.store.vault, 1e12))
    assert claimed is not None
    assert (claimed.incoming.kind, claimed.incoming.text) == (Sent.TEXT, "salam")
    assert door.wake.is_set(), "a worker is woken at once"


async def test_200_stored_before(door: Door) -> None:
    assert [await door.post(text_update("salam", 7)) for _ in range(3)] == [200, 200, 200]
    assert door.stored() == 1
    assert (
        door.metrics.registry.get_sample_value("rahnuma_received_total", {"channel": "telegram", "kind": "text"}) == 1
    )


async def test_200_for_the_same_update_at_the_same_time(door: Door) -> None:
    assert await asyncio.gather(*[door.post(text_update("salam", 7)) for _ in range(20)]) == [200] * 20
    assert door.stored() == 1


@pytest.mark.parametrize(
    "data",
    [
        update(),
        update(poll_answer={"poll_id": "1", "option_ids": [0], "option_persistent_ids": ["a"]}),
        update(channel_post=message(text="news", chat=chat("channel", title="x"))),
        update(a_kind_of_next_year={"any": "thing"}),
    ],
    ids="+".join,
)
async def test_200_and_nothing_stored_for_what_needs_no_answer(door: Door, data: dict[str, Any]) -> None:
    assert await door.post(data) == 200
    assert door.stored() == 0
    assert not door.wake.is_set()


@pytest.mark.parametrize(
    "data",
    [
        text_update(),
        update(callback_query=tap()),
        update(edited_message=message(text="x")),
        update(my_chat_member=membership("kicked")),
    ],
    ids="+".join,
)
async def test_200_for_every_kind_that_is_answered(door: Door, data: dict[str, Any]) -> None:
    assert await door.post(data) == 200
    assert door.stored() == 1


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], SECRET.upper(), "ä", " "])
async def test_403_bad_or_missing_secret(door: Door, secret: str | None) -> None:
    assert await door.post(text_update(), secret) == 403
    assert door.stored() == 0


async def test_403_before_anything_is_read(door: Door) -> None:
    assert await door.post(b"x" * (MAX_UPDATE + 1), "wrong") == 403
    assert await door.post(b"not json", "wrong") == 403


@pytest.mark.parametrize("configured", [None, ""])
@pytest.mark.parametrize("given", [None, "", "None", SECRET])
async def test_without_a_secret_of_ours_nobody_gets_in(
    sqlite_store: GatewayStore, configured: str | None, given: str | None
) -> None:
    wake = asyncio.Event()
    async with client_of(Webhook(intake_of(sqlite_store, wake, Metrics()), configured)) as client:
        assert await Door(client, sqlite_store, wake, Metrics()).post(text_update(), given) == 403


NOT_UPDATES: list[Any] = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"[" * 100_000,
    [],
    "text",
    12,
    None,
    {},
    {"update_id": "seven"},
    {"update_id": None, "message": message(text="x")},
    {"message": message(text="x")},
    update(message="text"),
    update(message=[]),
    update(message={"text": "without chat"}),
    update(message=message(text=3)),
    update(message=message(text=["x"])),
    update(message=message(text="x", chat=None)),
    update(message=message(text="x", date=10**20)),
    update(message=message(text="x", date="now")),
    update(message=message(text="x", **{"from": "somebody"})),
    update(callback_query={"id": "1"}),
    update(my_chat_member={"chat": chat()}),
]


@pytest.mark.parametrize("data", NOT_UPDATES, ids=lambda data: repr(data)[:50])
async def test_400_not_an_update(door: Door, data: Any) -> None:
    assert await door.post(data) == 400
    assert door.stored() == 0


async def test_413_too_large(door: Door) -> None:
    assert await door.post(b" " * (MAX_UPDATE + 1)) == 413
    padded = json.dumps(text_update()).encode()
    assert await door.post(padded + b" " * (MAX_UPDATE - len(padded))) == 200


async def test_404_no_token_configured() -> None:
    async with client_of(Webhook(None, SECRET)) as client:
        response = await client.post("/telegram/webhook", json=text_update(), headers={SECRET_HEADER: SECRET})
        assert response.status_code == 404


async def test_503_could_not_be_stored(store_away: GatewayStore) -> None:
    """Then Telegram keeps the update and brings it again."""
    wake = asyncio.Event()
    async with client_of(Webhook(intake_of(store_away, wake, Metrics()), SECRET)) as client:
        response = await client.post("/telegram/webhook", json=text_update(), headers={SECRET_HEADER: SECRET})
        assert response.status_code == 503
        assert not wake.is_set()


async def test_only_posts_are_taken(door: Door) -> None:
    assert (await door.client.get("/telegram/webhook", headers={SECRET_HEADER: SECRET})).status_code == 405


async def test_nothing_of_a_message_is_logged(
    door: Door, store_away: GatewayStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="bot")
    await door.post(text_update("my secret words"))
    await door.post(update(message=message(text=["my secret words"])))
    await door.post(text_update("my secret words"), "wrong")
    async with client_of(Webhook(intake_of(store_away, door.wake, door.metrics), SECRET)) as client:
        await client.post("/telegram/webhook", json=text_update("my secret words"), headers={SECRET_HEADER: SECRET})
    for private in ("secret words", "4077", "Zarmina"):
        assert private not in caplog.text
    assert "could not be stored" in caplog.text


async def test_half_a_character_does_not_stop_a_message(door: Door) -> None:
    """Valid JSON, in no encoding: if it were refused, Telegram would bring it again for a day."""
    assert await door.post(json.dumps(text_update("help \ud83d")).encode()) == 200
    claimed = door.store.run(lambda session: inbox.claim(session, door.store.vault, 1e12))
    assert claimed is not None
    assert claimed.incoming.text.startswith("help ")

"""The line to Rasa, against a small server: whatever goes wrong is one exception, and never an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot import rasa_client
from bot.rasa_client import RasaClient, RasaFailed, Turn, read_messages
from content.messages import Button, Kind, Message
from tests.conftest import free_ports
from tests.rasa_double import RasaDouble, rasa_double, told

TURN = Turn(id="t1", sender="pseudonym", intent="asylum_work", language="ur", site="lipa", guesses=("a", "b"))


@pytest.fixture
def rasa() -> Iterator[RasaDouble]:
    with rasa_double() as double:
        yield double


@pytest.fixture
async def client(rasa: RasaDouble) -> AsyncIterator[RasaClient]:
    made = RasaClient(rasa.url)
    yield made
    await made.close()


# --- when all is well -------------------------------------------------------------------------------


async def test_a_parse_is_a_ranking(rasa: RasaDouble, client: RasaClient) -> None:
    rasa.ranking = [("asylum_work", 0.7), ("asylum_start", 0.2)]
    assert await client.parse("can I work") == [("asylum_work", 0.7), ("asylum_start", 0.2)]
    assert rasa.asked == [("/model/parse", {"text": "can I work"})]


async def test_a_turn_is_messages_with_their_buttons(client: RasaClient) -> None:
    assert await client.take(TURN) == [
        Message(
            "You may work.",
            "ur",
            rows=((Button("Start", "t:asylum_start"),), (Button("Menu", "m:"),)),
            kind=Kind.ANSWER,
            response="utter_asylum_work",
        )
    ]


async def test_rasa_gets_an_intent_and_references_and_no_words(rasa: RasaDouble, client: RasaClient) -> None:
    await client.take(TURN)
    metadata = {"turn": "t1", "language": "ur", "site": "lipa", "guesses": ["a", "b"]}
    body = {"sender": "pseudonym", "message": "/asylum_work", "metadata": metadata}
    assert rasa.asked == [("/webhooks/rest/webhook", body)]


async def test_a_turn_may_be_several_messages_in_their_order(rasa: RasaDouble, client: RasaClient) -> None:
    rasa.turn = lambda body: told(body, "one") + told(body, "two")
    assert [message.text for message in await client.take(TURN)] == ["one", "two"]


async def test_alive(rasa: RasaDouble, client: RasaClient) -> None:
    assert await client.alive()
    rasa.status = 409  # running, without a model
    assert not await client.alive()


# --- when it is not -----------------------------------------------------------------------------------


def without(key: str) -> Any:
    """A turn whose envelope lacks something."""

    def turn(body: dict[str, Any]) -> list[dict[str, Any]]:
        rows = told(body)
        del rows[1]["custom"][key]
        return rows

    return turn


TURNS = {
    "an empty reply": lambda body: [],
    "no turn id": without("turn"),
    "another turn's id": lambda body: told(body, turn="t0"),
    "no turn id at the end": lambda body: [*told(body), {"text": "and more"}],
    "two texts and one envelope": lambda body: [{"text": "hello"}, *told(body)],
    "an envelope and no text": lambda body: told(body)[1:],
    "an envelope that is a string": lambda body: [{"text": "hello"}, {"custom": "t1"}],
    "no language": without("language"),
    "no kind": without("kind"),
    "a kind that is not ours": lambda body: told(body, kind="sermon"),
    "no response": without("response"),
    "rows that are no numbers": lambda body: told(body, rows=["a"]),
    "no list": lambda body: {"status": "failure"},
    "null": lambda body: None,
    "a list of strings": lambda body: ["hello"],
    "a picture": lambda body: [{"recipient_id": "x", "image": "http://example.org/a.png"}],
    "a button without a payload": lambda body: [{"text": "x", "buttons": [{"title": "y"}]}, told(body)[1]],
}


@pytest.mark.parametrize("why", TURNS)
async def test_a_turn_that_cannot_be_trusted_failed(why: str, rasa: RasaDouble, client: RasaClient) -> None:
    rasa.turn = TURNS[why]
    with pytest.raises(RasaFailed):
        await client.take(TURN)


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
async def test_an_error_of_rasas_is_a_failure(status: int, rasa: RasaDouble, client: RasaClient) -> None:
    rasa.status = status
    with pytest.raises(RasaFailed):
        await client.take(TURN)
    with pytest.raises(RasaFailed):
        await client.parse("hello")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff\xfe\x00", b"{"])
async def test_what_is_no_json_is_a_failure(raw: bytes, rasa: RasaDouble, client: RasaClient) -> None:
    rasa.raw = raw
    with pytest.raises(RasaFailed):
        await client.take(TURN)
    with pytest.raises(RasaFailed):
        await client.parse("hello")


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"{}",
        b"null",
        b'{"intent_ranking": null}',
        b'{"intent_ranking": []}',
        b'{"intent_ranking": [{"name": "a"}]}',
        b'{"intent_ranking": [{"name": "a", "confidence": "much"}]}',
        b'{"intent_ranking": ["a"]}',
    ],
)
async def test_a_parse_without_a_ranking_is_a_failure(raw: bytes, rasa: RasaDouble, client: RasaClient) -> None:
    rasa.raw = raw
    with pytest.raises(RasaFailed):
        await client.parse("hello")


async def test_a_slow_rasa_is_a_failure(rasa: RasaDouble, client: RasaClient, monkeypatch: pytest.MonkeyPatch) -> None:
    rasa.silent = True
    for name in ("_PARSE_SECONDS", "_TURN_SECONDS", "_PROBE_SECONDS"):
        monkeypatch.setattr(rasa_client, name, 0.05)
    with pytest.raises(RasaFailed, match="ReadTimeout"):
        await client.parse("hello")
    with pytest.raises(RasaFailed, match="ReadTimeout"):
        await client.take(TURN)
    assert not await client.alive()


async def test_a_rasa_that_is_away_is_a_failure() -> None:
    client = RasaClient(f"http://127.0.0.1:{free_ports(1)[0]}")
    try:
        with pytest.raises(RasaFailed, match="ConnectError"):
            await client.parse("hello")
        assert not await client.alive()
    finally:
        await client.close()


async def test_half_a_character_is_a_failure_and_no_crash(client: RasaClient) -> None:
    with pytest.raises(RasaFailed):
        await client.parse("help \ud83d")


async def test_a_failure_tells_nobody_the_words(rasa: RasaDouble, client: RasaClient) -> None:
    rasa.status = 500
    with pytest.raises(RasaFailed) as error:
        await client.parse("my secret words")
    assert "secret" not in str(error.value)


def test_messages_are_read_without_a_server_too() -> None:
    rows = told({"metadata": {"turn": "t1", "language": "en"}, "sender": "x"})
    assert [message.language for message in read_messages(rows, "t1")] == ["en"]

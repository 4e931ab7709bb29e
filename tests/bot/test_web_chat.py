"""The web chat over HTTP, with the real gateway behind it and a double of Rasa."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import func, select
from starlette.testclient import TestClient

import settings as settings_module
from bot import inbox
from bot.app import Gateway
from bot.incoming import Incoming, Sent
from bot.models import Inbox, Outbox, Person
from bot.web_chat import HERE, MAX_BODY, read_body
from content import keys
from settings import ROOT
from store.engine import migrate
from tests.factories import CODES, LANGUAGES
from tests.rasa_double import RasaDouble, rasa_double

_PATIENCE = 20  # how long a long poll may wait; it answers as soon as there is something


@pytest.fixture(scope="module")
def rasa() -> Iterator[RasaDouble]:
    with rasa_double() as double:
        yield double


@pytest.fixture(scope="module")
def gateway(rasa: RasaDouble, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    data = tmp_path_factory.mktemp("data")
    values = {"RAHNUMA_DATA_DIR": str(data), "RASA_URL": rasa.url}
    built = Gateway(settings_module.load(values, env_file=data / "no.env"), model=None)
    built.store.migrate()
    migrate(built.records, ROOT / "store" / "migrations")
    return built


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[TestClient]:
    """The running gateway: workers, clean-up, pages."""
    with TestClient(gateway.app(), raise_server_exceptions=False) as client:
        yield client


class Chat:
    """One open page."""

    def __init__(self, client: TestClient, path: str = "/chat", **headers: str) -> None:
        self._client = client
        begun = client.post(path, headers=headers)
        assert begun.status_code == 201
        assert list(begun.json()) == ["token"]
        self.token = begun.json()["token"]
        self.headers = {"authorization": f"Bearer {self.token}"}
        self.last = 0

    def post(self, body: Any, **headers: str) -> Response:
        """Send something; the answer as it is."""
        return self._client.post("/chat/messages", json=body, headers=self.headers | headers)

    def say(self, text: str) -> int:
        """Send words; the id."""
        return self._sent(self.post({"text": text}))

    def tap(self, data: str) -> int:
        """Tap a button; the id."""
        return self._sent(self.post({"data": data}))

    def read(self, wait: int = _PATIENCE) -> list[dict[str, Any]]:
        """What is new."""
        rows: list[dict[str, Any]] = self.look(wait).json()
        self.last = rows[-1]["id"] if rows else self.last
        return rows

    def look(self, wait: int = 0) -> Response:
        """Ask what is new; the answer as it is."""
        return self._client.get(f"/chat/messages?after={self.last}&wait={wait}", headers=self.headers)

    def end(self) -> Response:
        """Close the chat."""
        return self._client.delete("/chat", headers=self.headers)

    @staticmethod
    def _sent(response: Response) -> int:
        assert response.status_code == 202
        assert list(response.json()) == ["id"]
        number = response.json()["id"]
        assert isinstance(number, int)
        return number


@pytest.fixture
def chat(client: TestClient) -> Chat:
    return Chat(client)


def count(gateway: Gateway, table: type) -> int:
    return gateway.store.run(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


# --- a conversation -------------------------------------------------------------------------------


def test_words_are_answered_with_what_the_contract_names(chat: Chat) -> None:
    chat.say("can I work here")
    [row] = chat.read()
    assert set(row) >= {"id", "from", "lang", "dir", "text", "buttons"}
    assert (row["from"], row["lang"], row["dir"], row["text"]) == ("bot", "en", "ltr", "You may work.")
    assert row["buttons"] == [{"title": "Start", "data": "t:asylum_start"}, {"title": "Menu", "data": "m:"}]


def test_rasa_learns_neither_words_nor_token_with_a_turn(chat: Chat, rasa: RasaDouble) -> None:
    chat.say("can I work here, my name is Zarmina")
    chat.read()
    turns = [body for path, body in rasa.asked if path == "/webhooks/rest/webhook"]
    assert turns
    assert "Zarmina" not in json.dumps(turns)
    assert chat.token not in json.dumps(rasa.asked)


def test_a_chosen_language_is_answered_in_its_direction(chat: Chat) -> None:
    chat.tap("l:ur")
    [row] = chat.read()
    assert (row["lang"], row["dir"]) == ("ur", "rtl")
    assert all(set(button) == {"title", "data"} for button in row["buttons"])
    assert len(row["buttons"]) > 3


def test_rule_14_a_safety_text_can_be_hidden_and_comes_without_rasa(chat: Chat, rasa: RasaDouble) -> None:
    rasa.asked.clear()
    chat.tap("t:mines_found")
    [row] = chat.read()
    assert row["kind"] == "safety"
    assert [button["data"] for button in row["buttons"]] == [keys.PERSON, keys.HIDE]
    assert rasa.asked == []


def test_what_was_read_is_not_read_again(chat: Chat) -> None:
    chat.tap("m:")
    assert len(chat.read()) == 1
    assert chat.read(wait=0) == []
    chat.tap("l:")
    assert len(chat.read()) == 1


def test_each_page_reads_its_own(client: TestClient) -> None:
    one, two = Chat(client), Chat(client)
    one.tap("m:")
    assert one.read()
    assert two.read(wait=0) == []
    assert two.look().status_code == 200


def test_messages_are_answered_in_their_order(chat: Chat) -> None:
    for code in CODES:
        chat.tap(f"l:{code}")
    answered: list[str] = []
    while len(answered) < len(CODES):
        answered += [row["lang"] for row in chat.read()]
    assert answered == list(CODES)


@pytest.mark.parametrize("command", ["/menu", "/MENU", "/language", "/start", "/start lipa"])
def test_a_command_is_a_command(chat: Chat, command: str) -> None:
    chat.say(command)
    assert chat.read()


@pytest.mark.parametrize(
    "text", ["", "   ", "🚨", "\u202e\u202e", "\x00", "ا" * 10_000, "help \ud83d", "/restart", "{}"]
)
def test_whatever_is_typed_gets_a_sentence(chat: Chat, text: str) -> None:
    assert (
        chat._client.post(
            "/chat/messages", content=json.dumps({"text": text}).encode(), headers=chat.headers
        ).status_code
        == 202
    )
    rows = chat.read()
    assert rows
    assert all(row["text"].strip() for row in rows)


@pytest.mark.parametrize(
    "data", ["", "t:", "t:not_a_topic", "x", "l:xx", "e:utter_nothing", "m:weather", "f:", "🚨", "t:" + "x" * 62]
)
def test_a_button_that_is_not_ours_gets_a_sentence(chat: Chat, data: str) -> None:
    chat.tap(data)
    rows = chat.read()
    assert rows
    assert all(row["text"].strip() for row in rows)


@pytest.mark.parametrize(
    ("headers", "path", "language"),
    [
        ({}, "/chat?lang=ps", "ps"),
        ({"accept-language": "fa-AF,fa;q=0.9"}, "/chat", "fa"),
        ({"accept-language": "ur"}, "/chat?lang=ar", "ar"),
        ({"accept-language": "de,fr;q=0.5"}, "/chat", "en"),
        ({"accept-language": ""}, "/chat?lang=xx", "en"),
    ],
)
def test_the_browser_gives_a_hint_of_the_language(
    client: TestClient, headers: dict[str, str], path: str, language: str
) -> None:
    chat = Chat(client, path, **headers)
    chat.tap("m:")
    assert chat.read()[0]["lang"] == language


# --- nothing twice --------------------------------------------------------------------------------


def test_the_same_key_twice_is_one_message_with_one_id(chat: Chat, gateway: Gateway) -> None:
    """The page sends again when the line broke before the answer came."""
    before = count(gateway, Inbox)
    first = chat.post({"data": "m:"}, **{"idempotency-key": "abc123"})
    again = chat.post({"data": "m:"}, **{"idempotency-key": "abc123"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert isinstance(first.json()["id"], int)
    assert again.json() == first.json()
    assert count(gateway, Inbox) == before + 1
    assert len(chat.read()) == 1


def test_a_key_belongs_to_one_page(client: TestClient, gateway: Gateway) -> None:
    before = count(gateway, Inbox)
    ids = [Chat(client).post({"data": "m:"}, **{"idempotency-key": "abc123"}).json()["id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert count(gateway, Inbox) == before + 2


@pytest.mark.parametrize("key", [None, "", "two words", "x" * 65, "é"])
def test_without_a_usable_key_each_try_is_a_message(chat: Chat, gateway: Gateway, key: str | None) -> None:
    before = count(gateway, Inbox)
    headers = chat.headers | ({} if key is None else {"idempotency-key": key.encode("latin-1").decode("latin-1")})
    for _ in range(2):
        sent = chat._client.post(
            "/chat/messages", json={"data": "m:"}, headers={k: v.encode("latin-1") for k, v in headers.items()}
        )
        assert sent.status_code == 202
    assert count(gateway, Inbox) == before + 2


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "wrong", "bearer\twrong"]
)
def test_401_without_a_token_of_ours(client: TestClient, gateway: Gateway, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    before = count(gateway, Inbox)
    assert client.post("/chat/messages", json={"text": "hello"}, headers=headers).status_code == 401
    assert client.get("/chat/messages", headers=headers).status_code == 401
    assert client.delete("/chat", headers=headers).status_code == 401
    assert count(gateway, Inbox) == before


def test_401_for_the_chat_id_of_somebody_on_telegram(client: TestClient, gateway: Gateway) -> None:
    from bot import people
    from tests.factories import address

    gateway.store.run(lambda session: people.find_or_make(session, gateway.store.vault, address("4077"), 1e9))
    assert client.get("/chat/messages", headers={"authorization": "Bearer 4077"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"text": null}',
        b'{"text": 3}',
        b'{"text": ["hello"]}',
        b'{"data": 3}',
        b'{"words": "hello"}',
        b"[" * 60_000,
        b'{"data": "\\ud83d"}',
        json.dumps({"data": "t:" + "x" * 63}).encode(),
        json.dumps({"data": "ا" * 33}).encode(),
    ],
    ids=lambda body: repr(body)[:40],
)
def test_400_for_what_is_neither_words_nor_a_tap(chat: Chat, gateway: Gateway, body: bytes) -> None:
    before = count(gateway, Inbox)
    assert chat._client.post("/chat/messages", content=body, headers=chat.headers).status_code == 400
    assert count(gateway, Inbox) == before


def test_413_for_what_is_too_long(chat: Chat, gateway: Gateway) -> None:
    before = count(gateway, Inbox)
    long = json.dumps({"text": "x" * MAX_BODY}).encode()
    assert chat._client.post("/chat/messages", content=long, headers=chat.headers).status_code == 413
    in_pieces = (long[start : start + 1000] for start in range(0, len(long), 1000))
    assert chat._client.post("/chat/messages", content=in_pieces, headers=chat.headers).status_code == 413
    assert count(gateway, Inbox) == before


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "after=99999999999999999999", "after=1&wait=x", "wait=-5", ""]
)
def test_a_strange_question_is_answered_from_the_beginning(chat: Chat, query: str) -> None:
    assert chat._client.get(f"/chat/messages?{query}", headers=chat.headers).json() == []


def test_503_and_a_sentence_when_nothing_can_be_stored(
    chat: Chat, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*args: Any, **options: Any) -> None:
        raise OperationalError("insert", None, Exception("disk I/O error"))

    monkeypatch.setattr(inbox, "store", away)
    refused = chat.post({"text": "hello"})
    assert refused.status_code == 503
    assert refused.json()["error"] == gateway.speaker.catalogue.line("utter_not_stored", "en")


# --- hide and delete (rules 13 and 14) ------------------------------------------------------------


def rows_of(gateway: Gateway, chat: Chat, table: Any) -> list[Any]:
    from bot import people

    def work(session: Any) -> list[Any]:
        person = people.find(session, gateway.store.vault, "web", chat.token)
        return list(session.scalars(select(table).where(table.person_id == person.id))) if person else []

    return gateway.store.run(work)


def test_rule_14_hide_deletes_everything_that_was_said(chat: Chat, gateway: Gateway) -> None:
    chat.tap("t:mines_found")
    chat.tap("t:mines_inside")
    chat.read()
    assert rows_of(gateway, chat, Outbox)
    chat.tap(keys.HIDE)
    chat.tap("m:")
    while not any(row["text"] == gateway.speaker.menu("en").text for row in chat.read()):
        pass  # a page is answered in its order: what comes before the menu was still said before hiding
    chat.last = 0
    assert [row["text"] for row in chat.read()] == [gateway.speaker.menu("en").text]
    assert len(rows_of(gateway, chat, Outbox)) == 1


def test_rule_13_delete_deletes_the_chat(client: TestClient, gateway: Gateway) -> None:
    chat = Chat(client)
    chat.tap("l:ur")
    chat.read()
    before = count(gateway, Person)
    ended = chat.end()
    assert (ended.status_code, ended.content) == (204, b"")
    assert count(gateway, Person) == before - 1
    assert rows_of(gateway, chat, Inbox) == rows_of(gateway, chat, Outbox) == []
    assert chat.look().status_code == 401
    assert chat.post({"text": "hello"}).status_code == 401
    assert chat.end().status_code == 401


def test_tokens_cannot_be_guessed(client: TestClient) -> None:
    tokens = {Chat(client).token for _ in range(5)}
    assert len(tokens) == 5
    assert all(len(token) >= 40 for token in tokens)


# --- the page -------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._script: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = dict(attrs) if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None and data.strip():
            self.scripts.append((self._script, data))

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def page(client: TestClient, code: str = "en") -> Page:
    return Page(client.get(f"/?lang={code}").text)


@pytest.mark.parametrize("code", CODES)
def test_the_page_is_in_the_language_asked_for(client: TestClient, gateway: Gateway, code: str) -> None:
    found = page(client, code)
    assert found.all("html") == [{"lang": code, "dir": LANGUAGES[code].direction}]
    words = client.get(f"/?lang={code}").text
    for key in ("about", "demo", "private", "call"):
        line = gateway.speaker.catalogue.line(f"utter_ui_{key}", code)
        assert line in words.replace("&#39;", "'").replace("&#34;", '"')
    links = {link.get("href") for link in found.all("a")}
    assert {f"/?lang={other}" for other in CODES} <= links
    assert {"tel:124", "tel:121", "tel:122"} <= links, "the numbers work before any script runs"


@pytest.mark.parametrize(
    ("header", "code"), [("ur-PK,ur;q=0.9,en;q=0.8", "ur"), ("prs", "fa"), ("de", "en"), ("", "en"), (";;;,q=", "en")]
)
def test_the_page_is_in_the_browsers_language_where_none_is_asked_for(
    client: TestClient, header: str, code: str
) -> None:
    text = client.get("/", headers={"accept-language": header}).text
    assert Page(text).all("html")[0]["lang"] == code


@pytest.mark.parametrize("code", CODES)
def test_the_page_asks_nobody_outside(client: TestClient, code: str) -> None:
    for tag, attributes in page(client, code).elements:
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            address = attributes.get(name)
            if address is None:
                continue
            allowed = address.startswith(("/", "#")) and not address.startswith("//")
            assert allowed or address == "data:," or address.startswith("tel:"), (tag, address)


def test_scripts_and_styles_ask_nobody_outside() -> None:
    """One address stands in them: where "leave now" goes."""
    for path in sorted((HERE / "static").iterdir()):
        text = path.read_text(encoding="utf-8")
        outside = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", text)) - {"http://www.w3.org"}
        assert not outside or all("wikipedia.org" in address for address in outside), path.name
        assert "@import" not in text


def test_nothing_on_the_page_breaks_its_own_policy(client: TestClient) -> None:
    """No script or style within the page, and no handler in an attribute: the policy allows none of them."""
    found = page(client)
    assert [attributes.get("type") for attributes, _ in found.scripts] == ["application/json"]
    assert found.all("style") == []
    for tag, attributes in found.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_the_words_of_every_language_travel_with_the_page(client: TestClient, gateway: Gateway) -> None:
    [(_, text)] = page(client).scripts
    assert not set("<>&") & set(text)
    table = json.loads(text)
    assert sorted(table) == sorted(CODES)
    assert all(set(words) == set(table["en"]) and all(words.values()) for words in table.values())


def test_rule_14_the_page_has_a_quick_exit(client: TestClient) -> None:
    [button] = [attributes for attributes in page(client).all("button") if attributes.get("id") == "leave"]
    assert button.get("type") == "button"


def test_the_page_can_be_read_aloud(client: TestClient) -> None:
    found = page(client)
    [log] = [attributes for _, attributes in found.elements if attributes.get("role") == "log"]
    assert log.get("aria-live") == "polite"
    assert [attributes.get("for") for attributes in found.all("label")] == ["text"]
    assert found.all("main")
    assert found.all("h1")


def test_what_the_page_needs_is_served(client: TestClient) -> None:
    found = page(client)
    needed = [a["src"] for a in found.all("script") if a.get("src")]
    needed += [a["href"] for a in found.all("link") if a.get("rel") == "stylesheet"]
    assert len(needed) == 2
    for address in needed:
        assert client.get(str(address)).status_code == 200


# --- headers --------------------------------------------------------------------------------------

ANSWERS = [
    ("GET", "/"),
    ("POST", "/chat"),
    ("GET", "/chat/messages"),
    ("DELETE", "/chat"),
    ("GET", "/health"),
    ("GET", "/nowhere"),
    ("PUT", "/chat"),
    ("POST", "/telegram/webhook"),
    ("GET", "/static/chat.css"),
    ("GET", "/static/nothing.js"),
]


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_is_strict(client: TestClient, method: str, path: str) -> None:
    headers = client.request(method, path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    for directive, sources in policy.items():
        assert set(sources.split()) <= {"'none'", "'self'", "data:"}, directive
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "set-cookie" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_only_what_never_changes_is_kept(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    if path.startswith("/static/") and answer.status_code == 200:
        assert "immutable" in answer.headers["cache-control"]
    else:
        assert answer.headers["cache-control"] == "no-store"


def test_static_files_are_only_those(client: TestClient) -> None:
    for path in ("/static/../templates/chat.html", "/static/%2e%2e/templates/chat.html", "/static/", "/static"):
        assert client.get(path).status_code in (404, 405)


# --- the shapes of a body -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "incoming"),
    [
        ({"text": "salam"}, Incoming(Sent.TEXT, text="salam")),
        ({"text": " salam "}, Incoming(Sent.TEXT, text=" salam ")),
        ({"data": "m:"}, Incoming(Sent.BUTTON, data="m:")),
        ({"data": "m:", "text": "salam"}, Incoming(Sent.BUTTON, data="m:")),
        ({"text": "/start lipa"}, Incoming(Sent.COMMAND, text="lipa", data="start")),
        ({"text": " /Menu "}, Incoming(Sent.COMMAND, data="menu")),
        ({"text": "/nonsense"}, Incoming(Sent.TEXT, text="/nonsense")),
        ({"text": "menu"}, Incoming(Sent.TEXT, text="menu")),
        ({"data": None, "text": "salam"}, Incoming(Sent.TEXT, text="salam")),
        ({"data": "x" * 65, "text": "salam"}, Incoming(Sent.TEXT, text="salam")),
        ({"data": "\ud83d"}, None),
        ({}, None),
    ],
)
def test_a_body(body: dict[str, Any], incoming: Incoming | None) -> None:
    assert read_body(body) == incoming


def test_the_database_of_the_web_chat_is_private(gateway: Gateway) -> None:
    for path in Path(gateway.settings.data_dir).glob("*.sqlite3*"):
        assert path.stat().st_mode & 0o077 == 0, path.name

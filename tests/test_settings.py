"""Settings: read once, and a bad one is a line that names it."""

from __future__ import annotations

import base64
import os
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

import settings as settings_module
from settings import KEY_BYTES, TELEGRAM_PUBLIC_API, SettingError, Settings, private_file

KEY = base64.b64encode(b"k" * KEY_BYTES).decode()

# Each setting with its field, a good value and what becomes of it.
GOOD = [
    ("TELEGRAM_TOKEN", "telegram_token", "123456:ABC-def_1", "123456:ABC-def_1"),
    ("TELEGRAM_API_URL", "telegram_api_url", "http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
    ("TELEGRAM_WEBHOOK_SECRET", "telegram_webhook_secret", "aB3_-", "aB3_-"),
    ("PUBLIC_URL", "public_url", "https://bot.example.org/", "https://bot.example.org"),
    ("DATABASE_URL", "database_url", "postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
    (
        "GATEWAY_DATABASE_URL",
        "gateway_database_url",
        "sqlite:////srv/gateway.sqlite3",
        "sqlite:////srv/gateway.sqlite3",
    ),
    ("REDIS_URL", "redis_url", "redis://127.0.0.1:6379/1", "redis://127.0.0.1:6379/1"),
    ("RAHNUMA_SECRET_KEY", "secret_key", KEY, b"k" * KEY_BYTES),
    ("RAHNUMA_BIND", "bind", "0.0.0.0", "0.0.0.0"),
    ("RAHNUMA_BOT_PORT", "bot_port", "18080", 18080),
    ("RAHNUMA_CONSOLE_PORT", "console_port", "18081", 18081),
    ("RAHNUMA_METRICS_PORT", "metrics_port", "19090", 19090),
    ("RASA_PORT", "rasa_port", "15005", 15005),
    ("RASA_URL", "rasa_url", "http://rasa.internal:5005", "http://rasa.internal:5005"),
    ("ACTIONS_PORT", "actions_port", "15055", 15055),
]

PORTS = ("RAHNUMA_BOT_PORT", "RAHNUMA_CONSOLE_PORT", "RAHNUMA_METRICS_PORT", "RASA_PORT", "ACTIONS_PORT")
NO_PORTS = ("0", "65536", "-1", "http", "80.5", "²", "٨٠٨٠", "99999999999999")
ADDRESSES = ("TELEGRAM_API_URL", "PUBLIC_URL", "RASA_URL")
NO_ADDRESSES = (
    "example.org",
    "ftp://a.b",
    "http://",
    "http://h:port",
    "http://h:99999",
    "http://h:0",
    "http://[::1",
    "//h",
)
DATABASES = ("DATABASE_URL", "GATEWAY_DATABASE_URL")
NO_DATABASES = ("mysql://h/d", "a.sqlite3", "postgresql:", "postgresql://h:port/d", "sqlite://", "sqlite:///")
IN_MEMORY = "sqlite:///:memory:"  # would lose every message with the process
BAD = [
    *[("TELEGRAM_TOKEN", value) for value in ("token", "123", "abc:def", "123:", ":abc", "123:a/b", "123:a b")],
    *[("TELEGRAM_WEBHOOK_SECRET", value) for value in ("with space", "ä", "a/b", "x" * 257)],
    *[(name, value) for name in ADDRESSES for value in NO_ADDRESSES],
    *[(name, value) for name in DATABASES for value in (*NO_DATABASES, IN_MEMORY)],
    *[("REDIS_URL", value) for value in ("127.0.0.1:6379", "http://127.0.0.1")],
    *[("RAHNUMA_SECRET_KEY", value) for value in ("short", "§§", KEY[:-4], KEY + "AAAA", "k" * 32)],
    *[("RAHNUMA_BIND", value) for value in ("127.0.0.1:8080", "http://127.0.0.1", "all interfaces", "ä.example")],
    *[(name, value) for name in PORTS for value in NO_PORTS],
    ("RAHNUMA_OPERATOR_FILE", "/no/such/operator.yml"),
    ("RAHNUMA_DATA_DIR", "/proc/version/data"),
]


def load(folder: Path, **values: str) -> Settings:
    """Settings of these values and nothing else."""
    return settings_module.load({"RAHNUMA_DATA_DIR": str(folder / "var"), **values}, env_file=folder / ".env")


# --- one by one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "field", "given", "expected"), GOOD)
def test_a_setting_is_read(tmp_path: Path, name: str, field: str, given: str, expected: Any) -> None:
    assert getattr(load(tmp_path, **{name: given}), field) == expected
    assert getattr(load(tmp_path, **{name: f"  {given} "}), field) == expected, "space around it is no part of it"


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_names_the_setting_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError) as error:
        load(tmp_path, **{name: value})
    assert str(error.value).startswith(f"{name}:")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "RAHNUMA_SECRET_KEY", "TELEGRAM_WEBHOOK_SECRET"])
def test_a_secret_is_not_repeated_in_the_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError) as error:
        load(tmp_path, **{name: "hunter 2§"})
    assert "hunter" not in str(error.value)


def test_every_setting_is_tried_here(tmp_path: Path) -> None:
    tried = {field for _, field, _, _ in GOOD} | {"data_dir", "operator_file"}
    assert tried == {field.name for field in fields(Settings)}
    assert {name for name, _ in BAD} == {name for name, *_ in GOOD} | {"RAHNUMA_DATA_DIR", "RAHNUMA_OPERATOR_FILE"}


@pytest.mark.parametrize("bind", ["127.0.0.1", "::", "::1", "localhost", "gateway-1.internal"])
def test_an_address_to_listen_on(tmp_path: Path, bind: str) -> None:
    assert load(tmp_path, RAHNUMA_BIND=bind).bind == bind


@pytest.mark.parametrize("url", ["postgresql:///rahnuma?host=/run/postgresql", "postgresql+psycopg2://h/d"])
def test_other_ways_to_name_a_server(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, DATABASE_URL=url).database_url == url


def test_the_operators_file(tmp_path: Path) -> None:
    path = tmp_path / "operator.yml"
    path.write_text("{}", encoding="utf-8")
    assert load(tmp_path, RAHNUMA_OPERATOR_FILE=str(path)).operator_file == path


# --- together -------------------------------------------------------------------------------------


def test_nothing_is_needed_on_one_machine(tmp_path: Path) -> None:
    found = load(tmp_path)
    data = tmp_path / "var"
    assert found.data_dir == data
    assert found.models_dir == data / "models"
    assert (found.telegram_token, found.telegram_webhook_secret, found.public_url, found.redis_url) == (None,) * 4
    assert found.telegram_api_url == TELEGRAM_PUBLIC_API
    assert found.database_url == f"sqlite:///{data / 'records.sqlite3'}"
    assert found.gateway_database_url == f"sqlite:///{data / 'gateway.sqlite3'}"
    assert found.bind == "127.0.0.1", "nobody outside is served unless asked for"
    assert (found.bot_port, found.console_port, found.metrics_port) == (8080, 8081, 9090)
    assert (found.rasa_port, found.rasa_url, found.actions_port) == (5005, "http://127.0.0.1:5005", 5055)


@pytest.mark.parametrize("name", [name for name, *_ in GOOD if name != "RAHNUMA_SECRET_KEY"])
def test_an_empty_value_is_none(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, **{name: ""}) == load(tmp_path)


def test_rasas_address_follows_its_port(tmp_path: Path) -> None:
    assert load(tmp_path, RASA_PORT="6000").rasa_url == "http://127.0.0.1:6000"
    assert load(tmp_path, RASA_PORT="6000", RASA_URL="http://h:1").rasa_url == "http://h:1"


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        load(tmp_path).bind = "0.0.0.0"  # type: ignore[misc]


# --- the .env file --------------------------------------------------------------------------------


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RASA_PORT=6000\nACTIONS_PORT=6001\n", encoding="utf-8")
    found = load(tmp_path, RASA_PORT="7000")
    assert (found.rasa_port, found.actions_port) == (7000, 6001)


def test_the_environment_of_the_process_is_read_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAHNUMA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RASA_PORT", "6000")
    assert settings_module.load(env_file=tmp_path / ".env").rasa_port == 6000


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("RASA_PORT=6000", 6000),
        ("export RASA_PORT=6000", 6000),
        ("  RASA_PORT = 6000  ", 6000),
        ('RASA_PORT="6000"', 6000),
        ("RASA_PORT='6000'", 6000),
        ("# RASA_PORT=6000", 5005),
        ("", 5005),
        ("RASA_PORT=", 5005),
        ("\ufeffRASA_PORT=6000", 6000),
        ("SOMETHING_ELSE=1\r\nRASA_PORT=6000\r\n", 6000),
    ],
)
def test_a_line_of_the_file(tmp_path: Path, line: str, port: int) -> None:
    (tmp_path / ".env").write_text(line, encoding="utf-8")
    assert load(tmp_path).rasa_port == port


@pytest.mark.parametrize("line", ["RASA_PORT", "=6000", "RASA PORT=6000", "1=2"])
def test_a_line_that_cannot_be_read_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"RASA_PORT=6000\n\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"\.env line 3"):
        load(tmp_path)


def test_a_bad_value_in_the_file_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RASA_PORT=http\n", encoding="utf-8")
    with pytest.raises(SettingError, match="RASA_PORT"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("RASA_PORT=6000".encode("utf-16"))
    with pytest.raises(SettingError, match=r"\.env"):
        load(tmp_path)


# --- what is made and kept ------------------------------------------------------------------------


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_key_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first = load(tmp_path)
    finally:
        os.umask(before)
    assert len(first.secret_key) == KEY_BYTES
    assert mode(tmp_path / "var" / "secret.key") == 0o600
    assert mode(tmp_path / "var") == 0o700
    assert load(tmp_path).secret_key == first.secret_key
    assert load(tmp_path / "elsewhere").secret_key != first.secret_key


def test_a_folder_that_is_there_already_keeps_its_mode(tmp_path: Path) -> None:
    """It may be anybody's: `RAHNUMA_DATA_DIR=/` must not lock everybody else out of the machine."""
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(0o755)
    load(tmp_path)
    assert mode(folder) == 0o755
    assert mode(folder / "secret.key") == 0o600


def test_a_key_in_the_environment_makes_no_file(tmp_path: Path) -> None:
    load(tmp_path, RAHNUMA_SECRET_KEY=KEY)
    assert list((tmp_path / "var").iterdir()) == []


def test_a_lost_key_is_not_quietly_made_anew(tmp_path: Path) -> None:
    """With a new key nobody in the database could be answered any more."""
    load(tmp_path)
    (tmp_path / "var" / "gateway.sqlite3").touch()
    (tmp_path / "var" / "secret.key").unlink()
    with pytest.raises(SettingError, match=r"RAHNUMA_SECRET_KEY.*secret\.key is gone"):
        load(tmp_path)
    assert not (tmp_path / "var" / "secret.key").exists()


@pytest.mark.parametrize("content", [b"", b"not base64!", b"\xff\xfe", b"c2hvcnQ="])
def test_a_broken_key_file_names_the_setting(tmp_path: Path, content: bytes) -> None:
    load(tmp_path)
    (tmp_path / "var" / "secret.key").write_bytes(content)
    with pytest.raises(SettingError, match="RAHNUMA_SECRET_KEY"):
        load(tmp_path)


def test_a_webhook_secret_is_made_where_a_webhook_is_wanted(tmp_path: Path) -> None:
    """An update without the secret is refused, so there must be one, the same for every process."""
    first = load(tmp_path, PUBLIC_URL="https://bot.example.org").telegram_webhook_secret
    assert first is not None
    assert len(first) >= 32
    assert load(tmp_path, PUBLIC_URL="https://bot.example.org").telegram_webhook_secret == first
    assert mode(tmp_path / "var" / "webhook.secret") == 0o600
    assert load(tmp_path).telegram_webhook_secret is None


def test_a_private_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    private_file(path, b"one")
    private_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]

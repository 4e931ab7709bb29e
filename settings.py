"""The one module that reads the environment.

Settings are read once where a process starts (:func:`load`), typed and frozen, and passed down.
Environment variables beat a ``.env`` file beside this module. A value that cannot be used raises
:class:`SettingError`, whose text is the one line that an operator sees.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent

KEY_BYTES = 32
TELEGRAM_PUBLIC_API = "https://api.telegram.org"


class SettingError(Exception):
    """A setting that cannot be used; the text names it and says what would be right."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can set; see ``docs/settings.md`` for each name."""

    data_dir: Path
    telegram_token: str | None
    telegram_api_url: str
    telegram_webhook_secret: str | None
    public_url: str | None
    database_url: str
    gateway_database_url: str
    redis_url: str | None
    secret_key: bytes
    bind: str
    bot_port: int
    console_port: int
    metrics_port: int
    rasa_port: int
    rasa_url: str
    actions_port: int
    operator_file: Path | None

    @property
    def models_dir(self) -> Path:
        """Where trained models lie."""
        return self.data_dir / "models"


def load(environ: dict[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """Read all settings; raise :class:`SettingError` naming the first one that is wrong.

    Makes the data folder and the secret key where they are missing.
    """
    values = _read_env_file(env_file or ROOT / ".env")
    values.update(os.environ if environ is None else environ)
    data_dir = _data_dir(values)
    rasa_port = _port(values, "RASA_PORT", 5005)
    return Settings(
        data_dir=data_dir,
        telegram_token=_token(values),
        telegram_api_url=_url(values, "TELEGRAM_API_URL", TELEGRAM_PUBLIC_API),
        telegram_webhook_secret=_webhook_secret(values, data_dir),
        public_url=_url(values, "PUBLIC_URL", "") or None,
        database_url=_database(values, "DATABASE_URL", data_dir / "records.sqlite3"),
        gateway_database_url=_database(values, "GATEWAY_DATABASE_URL", data_dir / "gateway.sqlite3"),
        redis_url=_redis(values),
        secret_key=_secret_key(values, data_dir),
        bind=_bind(values),
        bot_port=_port(values, "RAHNUMA_BOT_PORT", 8080),
        console_port=_port(values, "RAHNUMA_CONSOLE_PORT", 8081),
        metrics_port=_port(values, "RAHNUMA_METRICS_PORT", 9090),
        rasa_port=rasa_port,
        rasa_url=_url(values, "RASA_URL", f"http://127.0.0.1:{rasa_port}"),
        actions_port=_port(values, "ACTIONS_PORT", 5055),
        operator_file=_existing_file(values, "RAHNUMA_OPERATOR_FILE"),
    )


def cache_dir() -> Path:
    """Where things lie that can be made again; for processes that need no other setting."""
    values = _read_env_file(ROOT / ".env")
    values.update(os.environ)
    path = _data_dir(values) / "cache"
    path.mkdir(exist_ok=True)
    return path


def private_file(path: Path, content: bytes) -> None:
    """Write a file that only this user may read (0600), whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path.name}: cannot be read as UTF-8") from error
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.removeprefix("export ").partition("=")
        if not separator or not name.strip().isidentifier():
            raise SettingError(f".env line {number}: expected NAME=value")
        values[name.strip()] = value.strip().strip("'\"")
    return values


def _data_dir(values: dict[str, str]) -> Path:
    path = Path(values.get("RAHNUMA_DATA_DIR") or ROOT / "var").expanduser().resolve()
    try:
        # A folder that is there already keeps its mode: it may be anybody's, even `/`.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"RAHNUMA_DATA_DIR: cannot use {path} ({error.strerror})") from error
    return path


def _token(values: dict[str, str]) -> str | None:
    token = values.get("TELEGRAM_TOKEN", "").strip()
    if not token:
        return None
    number, separator, rest = token.partition(":")
    if not separator or not number.isdigit() or not rest or any(c.isspace() or c == "/" for c in rest):
        raise SettingError("TELEGRAM_TOKEN: not a bot token; BotFather gives one like 123456:ABC-DEF")
    return token


def _webhook_secret(values: dict[str, str], data_dir: Path) -> str | None:
    secret = values.get("TELEGRAM_WEBHOOK_SECRET", "").strip()
    if not secret:
        return _kept_secret(data_dir / "webhook.secret") if values.get("PUBLIC_URL", "").strip() else None
    allowed = all(c.isascii() and (c.isalnum() or c in "_-") for c in secret)
    if not allowed or len(secret) > 256:
        raise SettingError("TELEGRAM_WEBHOOK_SECRET: 1 to 256 characters of A-Z, a-z, 0-9, _ and -")
    return secret


def _kept_secret(path: Path) -> str:
    """A secret made on the first start, the same for every process of this data folder."""
    try:
        if not path.exists():
            private_file(path, secrets.token_urlsafe(32).encode())
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"TELEGRAM_WEBHOOK_SECRET: cannot read or make {path}") from error


def _url(values: dict[str, str], name: str, default: str) -> str:
    value = (values.get(name) or default).strip().rstrip("/")
    if not value:
        return ""
    if not value.startswith(("http://", "https://")) or not _host(value):
        raise SettingError(f"{name}: expected http(s)://host[:port]")
    return value


def _host(address: str) -> str | None:
    """The host of an address: empty where it names none, ``None`` where address or port make no sense."""
    try:
        parts = urlsplit(address)
        return None if parts.port == 0 else parts.hostname or ""
    except ValueError:
        return None


def _bind(values: dict[str, str]) -> str:
    value = values.get("RAHNUMA_BIND", "").strip() or "127.0.0.1"
    try:
        ip_address(value)
    except ValueError as error:
        if not all(part and part.replace("-", "a").isalnum() and part.isascii() for part in value.split(".")):
            raise SettingError("RAHNUMA_BIND: expected an address such as 127.0.0.1, without a port") from error
    return value


def _database(values: dict[str, str], name: str, default: Path) -> str:
    value = values.get(name, "").strip()
    if not value:
        return f"sqlite:///{default}"
    if value.startswith("postgres://"):
        value = "postgresql://" + value.removeprefix("postgres://")
    file = value.removeprefix("sqlite:///") if value.startswith("sqlite:///") else ""
    kept = bool(file) and file != ":memory:"
    server = value.startswith(("postgresql://", "postgresql+psycopg2://")) and _host(value) is not None
    if not kept and not server:
        raise SettingError(f"{name}: expected postgresql://… or sqlite:///path")
    return value


def _redis(values: dict[str, str]) -> str | None:
    value = values.get("REDIS_URL", "").strip()
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise SettingError("REDIS_URL: expected redis://host:port/number")
    return value or None


def _port(values: dict[str, str], name: str, default: int) -> int:
    value = values.get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise SettingError(f"{name}: expected a port number between 1 and 65535")
    return int(value)


def _existing_file(values: dict[str, str], name: str) -> Path | None:
    value = values.get(name, "").strip()
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise SettingError(f"{name}: there is no file {path}")
    return path


def _secret_key(values: dict[str, str], data_dir: Path) -> bytes:
    given = values.get("RAHNUMA_SECRET_KEY", "").strip()
    if given:
        return _decoded_key(given, "RAHNUMA_SECRET_KEY")
    path = data_dir / "secret.key"
    try:
        if not path.exists():
            if (data_dir / "gateway.sqlite3").exists():
                raise SettingError(
                    "RAHNUMA_SECRET_KEY: the data folder has a database but its secret.key is gone; "
                    "put the key back or set it"
                )
            private_file(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)))
        return _decoded_key(path.read_text(encoding="ascii").strip(), f"RAHNUMA_SECRET_KEY (file {path})")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"RAHNUMA_SECRET_KEY: cannot read or make {path}") from error


def _decoded_key(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingError(f"{name}: not base64") from error
    if len(key) != KEY_BYTES:
        raise SettingError(f"{name}: expected {KEY_BYTES} bytes in base64, found {len(key)}")
    return key

"""The arguments of one call: the same whether they came as JSON, a form or a query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from .errors import ApiError, bad_request

Json = dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """A file that came with a multipart call."""

    name: str
    content: bytes


class Params:
    """Typed reading of a call's arguments, with Telegram's complaints."""

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, Upload] | None = None) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}
        self.files = dict(files or {})

    @property
    def names(self) -> set[str]:
        """The names of everything that came."""
        return set(self.values) | set(self.files)

    def has(self, name: str) -> bool:
        """Whether the argument was given and is not empty."""
        return bool(self.values.get(name, "") != "")

    def text(self, name: str) -> str:
        """The argument as a string, empty where it is missing."""
        value = self.values.get(name, "")
        if isinstance(value, str):
            return value
        return json.dumps(value)

    def integer(self, name: str, default: int = 0, *, low: int | None = None, high: int | None = None) -> int:
        """The argument as a number, kept within bounds as Telegram keeps it."""
        if not self.has(name):
            return default
        try:
            value = int(self.text(name))
        except ValueError:
            raise bad_request(f'parameter "{name}" must be an integer') from None
        value = value if low is None else max(low, value)
        return value if high is None else min(high, value)

    def flag(self, name: str) -> bool:
        """The argument as a truth value."""
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def decoded(self, name: str, what: str) -> Any:
        """An argument that is JSON inside; `what` names it in the complaint."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None

    def chat_id(self) -> int | None:
        """The chat a call is about, where it says so in numbers."""
        try:
            return int(self.text("chat_id"))
        except ValueError:
            return None


async def read_params(request: Request, *, most_bytes: int) -> Params:
    """Read the arguments of an HTTP request: query first, then the body."""
    if int(request.headers.get("content-length") or 0) > most_bytes:
        raise ApiError(413, "Request Entity Too Large")
    values: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        values.update(_from_json(await request.body()))
    elif kind == "application/x-www-form-urlencoded":
        body = (await request.body()).decode("utf-8", "surrogateescape")
        values.update(parse_qsl(body, keep_blank_values=True))
    elif kind == "multipart/form-data":
        return await _from_multipart(request, values)
    return Params(values)


def _from_json(body: bytes) -> Json:
    try:
        decoded = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(decoded, dict):
        raise bad_request("JSON object expected")
    return decoded


async def _from_multipart(request: Request, values: Json) -> Params:
    files: dict[str, Upload] = {}
    try:
        form = await request.form()
    except HTTPException as error:
        raise bad_request(f"can't parse form: {error.detail}") from None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files[name] = Upload(value.filename or name, await value.read())
        else:
            values[name] = value
    await form.close()
    return Params(values, files)

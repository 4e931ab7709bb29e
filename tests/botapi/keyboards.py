"""Checks of `reply_markup`: inline keyboards to the letter, the other kinds in outline."""

from __future__ import annotations

from typing import Any

from .errors import bad_request
from .limits import Limits
from .params import Json, Params
from .parse_html import checked_link

ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def read_reply_markup(params: Params, limits: Limits) -> Json | None:
    """The keyboard of a call, checked; None where there is none or it is empty."""
    markup = params.decoded("reply_markup", "reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline(markup["inline_keyboard"], limits)
    if "keyboard" in markup:
        _rows(markup["keyboard"], 'field "keyboard" must be an Array of Arrays')
        return markup
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return markup
    return None


def _rows(value: Any, complaint: str) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise bad_request(complaint)
    return value


def _inline(value: Any, limits: Limits) -> Json | None:
    complaint = 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
    rows = [[_button(one, limits) for one in row] for row in _rows(value, complaint)]
    rows = [row for row in rows if row]
    if sum(len(row) for row in rows) > limits.buttons:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": rows} if rows else None


def _button(button: Any, limits: Limits) -> Json:
    problem = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(problem + "InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str):
        raise bad_request(problem + 'Can\'t find field "text"')
    if not button["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    given = [one for one in ACTIONS if button.get(one) not in (None, "", False)]
    if not given:
        raise bad_request(problem + "Text buttons are unallowed in the inline keyboard")
    if len(given) > 1:
        # Telegram takes the first it knows and drops the others; a caller never means that.
        raise bad_request(problem + "exactly one of the optional fields must be used")
    _check_action(button, given[0], limits)
    return {"text": button["text"], given[0]: button[given[0]]}


def _check_action(button: Json, action: str, limits: Limits) -> None:
    value = button[action]
    if action == "callback_data" and (not isinstance(value, str) or len(value.encode()) > limits.callback_data):
        raise bad_request("BUTTON_DATA_INVALID")
    if action == "url" and (not isinstance(value, str) or checked_link(value) is None):
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
    if action == "copy_text":
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")

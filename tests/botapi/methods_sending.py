"""Methods that put something into a chat."""

from __future__ import annotations

import struct

from .errors import ApiError, bad_request
from .keyboards import read_reply_markup
from .markup import Formatted, format_text
from .params import Json, Params
from .registry import method
from .state import Bot, Chat

CHAT_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
SENDING = (
    "chat_id business_connection_id message_thread_id direct_messages_topic_id "
    "disable_notification protect_content allow_paid_broadcast message_effect_id "
    "suggested_post_parameters reply_parameters reply_to_message_id "
    "allow_sending_without_reply reply_markup"
)


@method(
    "sendMessage",
    optional=f"{SENDING} text parse_mode entities link_preview_options disable_web_page_preview",
)
async def send_message(bot: Bot, params: Params) -> Json:
    content = read_text(bot, params)
    params.decoded("link_preview_options", "link preview options")
    return _send(bot, params, content)


@method(
    "sendPhoto",
    optional=f"{SENDING} photo caption parse_mode caption_entities show_caption_above_media has_spoiler",
)
async def send_photo(bot: Bot, params: Params) -> Json:
    caption = _caption(bot, params)
    return _send(bot, params, {"photo": _photo(bot, params)} | caption)


@method("sendChatAction", optional="chat_id action business_connection_id message_thread_id")
async def send_chat_action(bot: Bot, params: Params) -> bool:
    if params.text("action") not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = bot.chat(params)
    chat.check_writable()
    chat.actions += 1
    return True


def _send(bot: Bot, params: Params, content: Json) -> Json:
    """Put a message into a chat: the checks in Telegram's order, the rate last."""
    markup = read_reply_markup(params, bot.world.limits)
    chat = bot.chat(params)
    chat.check_writable()
    content = content | _reply(chat, params)
    bot.flood.admit(chat.id, bot.world.clock())
    if markup is not None and "inline_keyboard" in markup:
        content["reply_markup"] = markup
    if params.flag("protect_content"):
        content["has_protected_content"] = True
    message = bot.store(chat, bot.user, content, silent=params.flag("disable_notification"))
    message.keyboard = None if markup is None or "inline_keyboard" in markup else markup
    return message.body


def _reply(chat: Chat, params: Params) -> Json:
    given = params.decoded("reply_parameters", "reply parameters")
    if given is None and params.has("reply_to_message_id"):
        given = {
            "message_id": params.integer("reply_to_message_id"),
            "allow_sending_without_reply": params.flag("allow_sending_without_reply"),
        }
    if not given:
        return {}
    if not isinstance(given, dict) or not isinstance(given.get("message_id"), int):
        raise bad_request("can't parse reply parameters: Can't find field \"message_id\"")
    replied = chat.message(given["message_id"])
    if replied is not None:
        # Only one level is shown.
        shown = {name: v for name, v in replied.body.items() if name != "reply_to_message"}
        return {"reply_to_message": shown}
    if given.get("allow_sending_without_reply"):
        return {}
    raise bad_request("message to be replied not found")


def read_text(bot: Bot, params: Params) -> Json:
    """The text of a call with its entities, checked."""
    if not params.has("text"):
        raise bad_request("message text is empty")
    formatted = format_text(
        params.text("text"),
        parse_mode=params.text("parse_mode"),
        entities=params.decoded("entities", "entities"),
        most=bot.world.limits.text,
    )
    return _content("text", "entities", formatted)


def _caption(bot: Bot, params: Params) -> Json:
    formatted = format_text(
        params.text("caption"),
        parse_mode=params.text("parse_mode"),
        entities=params.decoded("caption_entities", "caption entities"),
        most=bot.world.limits.caption,
        what="message caption",
    )
    return _content("caption", "caption_entities", formatted)


def _content(text_name: str, entities_name: str, formatted: Formatted) -> Json:
    if not formatted.text:
        return {}
    content: Json = {text_name: formatted.text}
    if formatted.entities:
        content[entities_name] = list(formatted.entities)
    return content


def _photo(bot: Bot, params: Params) -> list[Json]:
    name = params.text("photo")
    upload = params.files.get(name.removeprefix("attach://") or "photo")
    if upload is not None:
        return _uploaded(bot, upload.content)
    if not name:
        raise bad_request("there is no photo in the request")
    if name in bot.files:
        return [_size(bot.files[name].shown(), bot.files[name].content)]
    if name.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")  # nothing outside is reached
    raise bad_request("wrong file identifier/HTTP URL specified")


def _uploaded(bot: Bot, content: bytes) -> list[Json]:
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > bot.world.limits.photo_bytes:
        raise ApiError(413, "Request Entity Too Large")
    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"GIF8")):
        raise bad_request("IMAGE_PROCESS_FAILED")
    return [_size(bot.keep_file(content, "photos/file.jpg").shown(), content)]


def _size(shown: Json, content: bytes) -> Json:
    """A PhotoSize; the sides are read from a PNG and guessed for the rest."""
    width, height = 640, 480
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    shown.pop("file_path")
    return shown | {"width": width, "height": height}

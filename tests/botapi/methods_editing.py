"""Methods that change or remove what is already in a chat, and the answer to a tap."""

from __future__ import annotations

from .errors import bad_request
from .keyboards import read_reply_markup
from .methods_sending import read_text
from .params import Json, Params
from .registry import method
from .state import Bot, Chat, Message


@method(
    "editMessageText",
    optional="chat_id message_id inline_message_id business_connection_id text parse_mode "
    "entities link_preview_options disable_web_page_preview reply_markup",
)
async def edit_message_text(bot: Bot, params: Params) -> Json:
    content = read_text(bot, params)
    markup = read_reply_markup(params, bot.world.limits)
    chat, message = _own_message(bot, params)
    if "text" not in message.body:
        raise bad_request("there is no text in the message to edit")
    return _edit(bot, (chat, message), content, markup, ("text", "entities"))


@method(
    "editMessageReplyMarkup",
    optional="chat_id message_id inline_message_id business_connection_id reply_markup",
)
async def edit_message_reply_markup(bot: Bot, params: Params) -> Json:
    markup = read_reply_markup(params, bot.world.limits)
    return _edit(bot, _own_message(bot, params), {}, markup, ())


def _edit(
    bot: Bot,
    found: tuple[Chat, Message],
    content: Json,
    markup: Json | None,
    names: tuple[str, ...],
) -> Json:
    chat, message = found
    if markup is not None and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    if markup is not None:
        content = content | {"reply_markup": markup}
    names = (*names, "reply_markup")
    if all(message.body.get(name) == content.get(name) for name in names):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are "
            "exactly the same as a current content and reply markup of the message"
        )
    for name in names:
        message.body.pop(name, None)
    message.body.update(content, edit_date=int(bot.world.clock()))
    chat.changed.fire()
    return message.body


def _own_message(bot: Bot, params: Params) -> tuple[Chat, Message]:
    """The message a call wants to edit: there, and the bot's own."""
    if not params.has("message_id"):
        raise bad_request("message identifier is not specified")
    chat = bot.chat(params)
    chat.check_writable()
    message = chat.message(params.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot or message.keyboard is not None:
        raise bad_request("message can't be edited")
    return chat, message


@method("deleteMessage", optional="chat_id message_id")
async def delete_message(bot: Bot, params: Params) -> bool:
    if not params.has("chat_id"):
        raise bad_request("chat identifier is not specified")
    if not params.has("message_id"):
        raise bad_request("message identifier is not specified")
    chat = bot.chat(params)
    message = chat.message(params.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if not _deletable(bot, chat, message):
        raise bad_request("message can't be deleted for everyone")
    bot.delete(chat, message)
    return True


@method("deleteMessages", optional="chat_id message_ids")
async def delete_messages(bot: Bot, params: Params) -> bool:
    """Those that are gone already are skipped; one that is too old fails the call."""
    numbers = params.decoded("message_ids", "message identifiers")
    if not isinstance(numbers, list) or not all(isinstance(one, int) for one in numbers):
        raise bad_request("expected an Array of message identifiers")
    if not numbers:
        raise bad_request("message identifiers are not specified")
    if len(numbers) > bot.world.limits.deletions:
        raise bad_request("too many message identifiers specified")
    chat = bot.chat(params)
    found = [message for one in numbers if (message := chat.message(one))]
    if not all(_deletable(bot, chat, message) for message in found):
        raise bad_request("message can't be deleted for everyone")
    for message in found:
        bot.delete(chat, message)
    return True


def _deletable(bot: Bot, chat: Chat, message: Message) -> bool:
    """48 hours, both sides of a private chat; in a group only its own, while a member."""
    young = bot.world.clock() - message.at <= bot.world.limits.delete_age_s
    allowed = message.from_bot or chat.type == "private" or chat.standing == "administrator"
    return young and allowed


@method("answerCallbackQuery", "callback_query_id", "text show_alert url cache_time")
async def answer_callback_query(bot: Bot, params: Params) -> bool:
    query = bot.queries.get(params.text("callback_query_id"))
    age = 0.0 if query is None else bot.world.clock() - query.at
    if query is None or query.answer is not None or age > bot.world.limits.callback_age_s:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(params.text("text")) > bot.world.limits.callback_answer:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {"text": params.text("text"), "show_alert": params.flag("show_alert")}
    query.chat.changed.fire()
    return True

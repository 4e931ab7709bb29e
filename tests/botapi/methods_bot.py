"""Methods about the bot itself, its chats and its files."""

from __future__ import annotations

import re
from typing import Any

from .errors import bad_request
from .params import Json, Params
from .registry import method
from .state import Bot


@method("getMe")
async def get_me(bot: Bot, _: Params) -> Json:
    return bot.user.shown() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


@method("setMyCommands", "commands", "scope language_code")
async def set_my_commands(bot: Bot, params: Params) -> bool:
    commands = params.decoded("commands", "commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > bot.world.limits.commands:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    bot.commands[_scope(bot, params), _language(params)] = [_command(one) for one in commands]
    return True


@method("getMyCommands", optional="scope language_code")
async def get_my_commands(bot: Bot, params: Params) -> list[Json]:
    return bot.commands.get((_scope(bot, params), _language(params)), [])


@method("deleteMyCommands", optional="scope language_code")
async def delete_my_commands(bot: Bot, params: Params) -> bool:
    bot.commands.pop((_scope(bot, params), _language(params)), None)
    return True


def _command(given: Any) -> Json:
    if not isinstance(given, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if not isinstance(given.get(name), str):
            raise bad_request(f"can't parse BotCommand: Can't find field \"{name}\"")
    command = given["command"].removeprefix("/")
    if not re.fullmatch(r"[a-z0-9_]{1,32}", command):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(given["description"].strip()) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": command, "description": given["description"]}


def _scope(bot: Bot, params: Params) -> str:
    scope = params.decoded("scope", "BotCommandScope")
    if scope is None:
        return "default"
    problem = "can't parse BotCommandScope: "
    if not isinstance(scope, dict) or not isinstance(scope.get("type"), str):
        raise bad_request(problem + "BotCommandScope must be an Object")
    kind: str = scope["type"]
    if kind in {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}:
        return kind
    if kind not in {"chat", "chat_administrators", "chat_member"}:
        raise bad_request(problem + "Unsupported type specified")
    if not scope.get("chat_id"):
        raise bad_request(problem + "Empty chat_id specified")
    if kind == "chat_member" and not scope.get("user_id"):
        raise bad_request(problem + "Invalid user_id specified")
    chat = bot.chat(Params({"chat_id": scope["chat_id"]}))
    return f"{kind} {chat.id} {scope.get('user_id', '')}".rstrip()


def _language(params: Params) -> str:
    code = params.text("language_code")
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad_request("invalid language code specified")
    return code


def _words(name: str, field: str, most: int) -> None:
    """Register the get and set methods of a text the bot shows about itself."""

    async def get(bot: Bot, params: Params) -> Json:
        default = bot.user.first_name if field == "name" else ""
        general = bot.words.get((field, ""), default)
        return {field: bot.words.get((field, _language(params)), general)}

    async def put(bot: Bot, params: Params) -> bool:
        text, language = params.text(field), _language(params)
        if len(text) > most:
            raise bad_request(f"{field.replace('_', ' ')} is too long")  # wording not published
        bot.words[field, language] = text
        if not text:
            del bot.words[field, language]
        return True

    method(f"get{name}", optional="language_code")(get)
    method(f"set{name}", optional=f"{field} language_code")(put)


_words("MyName", "name", 64)
_words("MyDescription", "description", 512)
_words("MyShortDescription", "short_description", 120)


@method("getChat", optional="chat_id")
async def get_chat(bot: Bot, params: Params) -> Json:
    rest = {"accent_color_id": 0, "max_reaction_count": 11}
    gifts = dict.fromkeys(
        (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        ),
        False,
    )
    return bot.chat(params).shown() | rest | {"accepted_gift_types": gifts}


@method("leaveChat", optional="chat_id")
async def leave_chat(bot: Bot, params: Params) -> bool:
    chat = bot.chat(params)
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    chat.check_writable()
    bot.stand(chat, bot.user, "left")
    return True


@method("getFile", optional="file_id")
async def get_file(bot: Bot, params: Params) -> Json:
    if not params.has("file_id"):
        raise bad_request("file_id not specified")
    if params.text("file_id") not in bot.files:
        raise bad_request("invalid file_id")
    return bot.files[params.text("file_id")].shown()

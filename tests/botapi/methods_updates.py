"""Methods that say how updates reach the bot: getUpdates and webhooks."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .delivery import DEFAULT_KINDS, Webhook
from .errors import bad_request, too_many
from .params import Json, Params
from .registry import method
from .state import Bot

KNOWN_KINDS = DEFAULT_KINDS | {
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
}
WEBHOOK_PORTS = {None, 443, 80, 88, 8443}


@method("getUpdates", optional="offset limit timeout allowed_updates")
async def get_updates(bot: Bot, params: Params) -> list[Json]:
    offset = params.integer("offset")
    limit = params.integer("limit", 100, low=1, high=100)
    timeout = params.integer("timeout", 0, low=0, high=50)
    if bot.updates.webhook is None:
        _set_allowed(bot, params)
    return await bot.updates.take(offset, limit, timeout)


@method(
    "setWebhook",
    optional="url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
)
async def set_webhook(bot: Bot, params: Params) -> bool:
    if not params.has("url"):
        return await _without_webhook(bot, params)
    _slow_down(bot)
    webhook = _read_webhook(bot, params)
    _set_allowed(bot, params)
    if params.flag("drop_pending_updates"):
        bot.updates.drop_all()
    await bot.updates.set_webhook(webhook)
    return True


@method("deleteWebhook", optional="drop_pending_updates")
async def delete_webhook(bot: Bot, params: Params) -> bool:
    return await _without_webhook(bot, params)


async def _without_webhook(bot: Bot, params: Params) -> bool:
    await bot.updates.set_webhook(None)
    if params.flag("drop_pending_updates"):
        bot.updates.drop_all()
    return True


@method("getWebhookInfo")
async def get_webhook_info(bot: Bot, _: Params) -> Json:
    webhook = bot.updates.webhook
    info: Json = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": bool(webhook and webhook.certificate),
        "pending_update_count": len(bot.updates),
    }
    if webhook:
        info["max_connections"] = webhook.max_connections
        if webhook.last_error:
            info["last_error_date"] = int(webhook.last_error[0])
            info["last_error_message"] = webhook.last_error[1]
    if bot.updates.allowed != DEFAULT_KINDS:
        info["allowed_updates"] = sorted(bot.updates.allowed)
    return info


def _set_allowed(bot: Bot, params: Params) -> None:
    """Which kinds are wanted; not given: as before. Updates already made are untouched."""
    if "allowed_updates" not in params.values:
        return
    kinds = params.decoded("allowed_updates", "allowed_updates")
    if not isinstance(kinds, list):
        raise bad_request("can't parse allowed_updates JSON object")
    bot.updates.allowed = frozenset(kinds) & KNOWN_KINDS or DEFAULT_KINDS


def _slow_down(bot: Bot) -> None:
    now = bot.world.clock()
    if now < bot.webhook_set_at + bot.world.limits.set_webhook_every_s:
        raise too_many(1)
    bot.webhook_set_at = now


def _read_webhook(bot: Bot, params: Params) -> Webhook:
    url, secret = params.text("url"), params.text("secret_token")
    _check_address(url, https_only=bot.world.https_only)
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
    most = params.integer("max_connections", 40, low=1, high=100)
    upload = params.files.get("certificate")
    return Webhook(url, secret, most, upload.content if upload else b"")


def _check_address(url: str, *, https_only: bool) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise bad_request("invalid webhook URL specified")
    if https_only and parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if https_only and port not in WEBHOOK_PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")

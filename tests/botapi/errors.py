"""The one way a call fails: a code and a sentence in Telegram's wording.

The sentences come from the source of Telegram's own server (tdlib/telegram-bot-api and
tdlib/td); where that says nothing, from what its users report.
"""

from __future__ import annotations


class ApiError(Exception):
    """What the Bot API answers instead of a result."""

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad_request(why: str) -> ApiError:
    """400: the call is wrong and will stay wrong."""
    return ApiError(400, f"Bad Request: {why}")


def forbidden(why: str) -> ApiError:
    """403: the person or the chat does not want this bot."""
    return ApiError(403, f"Forbidden: {why}")


def conflict(why: str) -> ApiError:
    """409: two ways of taking updates at once."""
    return ApiError(409, f"Conflict: {why}")


def too_many(seconds: int) -> ApiError:
    """429: the same call may be made again after `seconds`."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

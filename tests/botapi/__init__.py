"""A Telegram Bot API server of our own, for tests, load runs and trying the product.

It follows the public documentation (https://core.telegram.org/bots/api) and, in wording and
detail, the behaviour of Telegram's own server; it keeps everything in memory and reaches
nothing outside the machine. What differs on purpose: webhooks may be plain http and on any
port (as with a server of one's own); HTML is the only parse mode; only the methods in
`methods.py` exist.
"""

from .client import Button, Group, Person, Received, Tap
from .delivery import Policy
from .errors import ApiError
from .faults import Fault, Faults
from .limits import UNLIMITED, Limits
from .server import DEFAULT_TOKEN, Server, create_app, serve, serve_in_thread
from .state import Call, World

__all__ = [
    "DEFAULT_TOKEN",
    "UNLIMITED",
    "ApiError",
    "Button",
    "Call",
    "Fault",
    "Faults",
    "Group",
    "Limits",
    "Person",
    "Policy",
    "Received",
    "Server",
    "Tap",
    "World",
    "create_app",
    "serve",
    "serve_in_thread",
]

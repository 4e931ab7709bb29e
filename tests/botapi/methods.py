"""Every method this server knows: importing the files that hold them fills the list."""

from __future__ import annotations

from . import methods_bot, methods_editing, methods_sending, methods_updates
from .registry import METHODS, Method, perform

__all__ = [
    "METHODS",
    "Method",
    "methods_bot",
    "methods_editing",
    "methods_sending",
    "methods_updates",
    "perform",
]

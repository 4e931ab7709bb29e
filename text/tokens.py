"""Words of a folded text: runs of letters, marks and digits."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words(folded: str) -> list[str]:
    """The words of a text that :func:`text.normalise.fold` has made even.

    >>> words("i'm stuck, help!!")
    ["i'm", 'stuck', 'help']
    """
    return _WORD.findall(folded)

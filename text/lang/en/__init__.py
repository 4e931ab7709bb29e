"""English: nothing to respell."""

LETTERS: dict[str, str] = {}

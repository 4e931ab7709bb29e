"""English: nothing to respell."""

LETTERS: dict[str, str] = {}
SCRIPT = "LATIN"
TELLING = ""

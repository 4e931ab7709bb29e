"""Names under which components leave their results on a Rasa message."""

LIGHT = "light"
FOLDED = "folded"
LANGUAGE = "language"
EMBEDDING = "embedding"

"""Arabic: what other keyboards write for Arabic kaf, yeh and heh."""

LETTERS = {"ک": "ك", "ی": "ي", "ې": "ي", "ے": "ي", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ة"}
SCRIPT = "ARABIC"
TELLING = ""

"""Farsi and Dari: what Arabic and Urdu keyboards write for kaf, yeh and heh."""

LETTERS = {"ك": "ک", "ي": "ی", "ى": "ی", "ې": "ی", "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه", "ۀ": "ه"}
SCRIPT = "ARABIC"
TELLING = "پچژگ"

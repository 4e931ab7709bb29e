"""Urdu: heh goal, kaf and yeh where an Arabic or Farsi keyboard wrote its own."""

LETTERS = {"ك": "ک", "ي": "ی", "ى": "ی", "ې": "ی", "ه": "ہ", "ە": "ہ", "ة": "ہ", "ۀ": "ہ", "ۂ": "ہ", "أ": "ا", "إ": "ا"}
SCRIPT = "ARABIC"
TELLING = "ٹڈڑںےھہ"

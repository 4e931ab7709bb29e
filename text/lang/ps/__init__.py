"""Pashto: kaf, gaf, yeh and heh as other keyboards write them; its two short yehs become one."""

LETTERS = {"ك": "ک", "ي": "ی", "ى": "ی", "ے": "ی", "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه", "گ": "ګ", "ﮐ": "ک"}
SCRIPT = "ARABIC"
TELLING = "ټډړږښځڅڼېۍ"

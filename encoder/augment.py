"""Spells a message as a hurried thumb, another keyboard or another habit of romanising would."""

from __future__ import annotations

from random import Random

_LATIN_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ARABIC_ROWS = ("ضصثقفغعهخحج", "شسیبلاتنمکگ", "ظطزرذدپو")

# What a person leaves out or has no key for: hamza carriers, letters of Pashto and Urdu.
_PLAIN = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ؤ": "و", "ئ": "ی", "ة": "ه", "ى": "ي", "ء": None, "ۀ": "ه", "ۂ": "ہ"}
    | {"ټ": "ت", "ډ": "د", "ړ": "ر", "ښ": "ش", "ږ": "ژ", "ځ": "ز", "څ": "س", "ې": "ی", "ۍ": "ی", "ګ": "گ", "ڼ": "ن"}
    | {"ٹ": "ت", "ڈ": "د", "ڑ": "ر", "ں": "ن", "ے": "ی", "ھ": "ہ"}
)
_OTHER_KEYBOARD = (
    str.maketrans({"ک": "ك", "ی": "ي", "ہ": "ه", "ے": "ي"}),
    str.maketrans({"ك": "ک", "ي": "ی", "ى": "ی", "ة": "ه", "ه": "ہ"}),
    str.maketrans({"ہ": "ه", "ھ": "ه", "ه": "ة", "ے": "ی"}),
)

# Pairs that romanising people use one for the other.
_HABITS = (
    ("aa", "a"), ("ee", "i"), ("oo", "u"), ("ou", "u"), ("ei", "e"), ("ai", "e"), ("ay", "ai"), ("w", "v"),
    ("q", "k"), ("gh", "g"), ("kh", "x"), ("kh", "5"), ("sh", "ch"), ("sh", "s"), ("y", "i"), ("e", "i"), ("o", "u"),
    ("e", "a"), ("7", "h"), ("3", "a"), ("2", ""), ("'", ""), ("9", "s"), ("8", "gh"), ("6", "t"), ("j", "zh"),
    ("dh", "d"), ("th", "t"), ("bh", "b"), ("z", "s"), ("ph", "f"), ("ck", "k"), ("h", ""),
)  # fmt: skip


def varied(text: str, romanised: bool, chance: Random, share: float) -> str:
    """The text, or with the chance ``share`` a variant of it."""
    if chance.random() >= share:
        return text
    ways = [_typo, _typo, _joined]
    ways += [_respelt] * 3 if romanised else [_plain, _keyboard]
    changed = chance.choice(ways)(text, chance)
    return changed if changed.strip() else text


def _typo(text: str, chance: Random) -> str:
    """One letter lost, doubled, swapped with the next, or its neighbour on the keyboard."""
    places = [i for i, letter in enumerate(text) if letter.isalpha()]
    if len(places) < 4:
        return text
    i = chance.choice(places)
    way = chance.randrange(4)
    if way == 0:
        return text[:i] + text[i + 1 :]
    if way == 1:
        return text[:i] + text[i] + text[i:]
    if way == 2:
        return text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]
    return text[:i] + _neighbour(text[i], chance) + text[i + 1 :]


def _neighbour(letter: str, chance: Random) -> str:
    for row in (*_LATIN_ROWS, *_ARABIC_ROWS):
        place = row.find(letter.lower())
        if place >= 0:
            return chance.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    return letter


def _joined(text: str, chance: Random) -> str:
    """One space left out."""
    places = [i for i, letter in enumerate(text) if letter == " "]
    if not places:
        return text
    i = chance.choice(places)
    return text[:i] + text[i + 1 :]


def _plain(text: str, chance: Random) -> str:
    return text.translate(_PLAIN)


def _keyboard(text: str, chance: Random) -> str:
    return text.translate(chance.choice(_OTHER_KEYBOARD))


def _respelt(text: str, chance: Random) -> str:
    """A few other spellings of the same sounds."""
    for habit in chance.sample(_HABITS, 8):
        one, other = habit[::-1] if chance.random() < 0.5 and habit[1] else habit
        parts = text.split(one) if one else [text]
        for part in range(len(parts) - 1):
            parts[part] += other if chance.random() < 0.5 else one
        text = "".join(parts)
    return text

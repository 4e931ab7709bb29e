"""The keys behind buttons: a letter and an argument, far under Telegram's 64 bytes."""

TOPIC = "t:"  # a topic id
AREA = "m:"  # an area id; empty: the whole menu
LANGUAGE = "l:"  # a language code; empty: the choice of languages
ENGLISH = "e:"  # a response name to be shown in English
PERSON = "p:"  # talk to a person
HIDE = "x:"  # hide this conversation
FORGET = "f:"  # "ask" or "yes"

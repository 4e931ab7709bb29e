"""One turn: a thing that a person sent becomes the messages that answer it.

Danger comes first and needs nobody else: lists, language and safety texts are in this process.
What needs Rasa raises :class:`bot.rasa_client.RasaFailed`, and the worker tries again later.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot import outbox, people
from bot.crypto import Vault
from bot.decide import Decision, Ranking, Verdict
from bot.incoming import Incoming, Sent
from bot.language_choice import is_clear, language_of_turn
from bot.models import Person, SafetySent
from bot.rasa_client import RasaClient, RasaFailed, Turn
from bot.understanding import MAX_CHARACTERS, Reader, Reading, for_the_parser
from content import keys
from content.messages import Button, Kind, Message, stacked
from content.speaker import Speaker
from content.topics import OUT_OF_SCOPE
from text.normalise import light, without_emoji

logger = logging.getLogger(__name__)

SAFETY_REPEAT_SECONDS = 3600
_DANGER_PATIENCE = 0.6
GROUP_LEAVE = "utter_group_leave"
FORGOTTEN = "utter_forgotten"
FORGOTTEN_WEB = "utter_forgotten_web"

_BAD = {
    Sent.VOICE: "utter_bad_voice",
    Sent.VIDEO: "utter_bad_video",
    Sent.PHOTO: "utter_bad_photo",
    Sent.STICKER: "utter_bad_sticker",
    Sent.FILE: "utter_bad_file",
    Sent.CONTACT: "utter_bad_contact",
    Sent.OTHER: "utter_bad_file",
}
_COMMAND_TOPICS = {"privacy": "privacy", "help": "help"}


@dataclass(frozen=True)
class Known:
    """What a turn knows of a person: no address."""

    id: str
    channel: str
    choice: str | None
    last_clear: str | None
    hint: str | None
    site: str | None
    pseudonym: str

    def fallback_language(self) -> str:
        """The language where the message itself does not say."""
        return language_of_turn(message=None, letters=0, choice=self.choice, last_clear=self.last_clear, hint=self.hint)


@dataclass(frozen=True)
class Outcome:
    """What a turn leads to."""

    messages: list[Message]
    change: Callable[[Person], None] | None = None
    delete_in_chat: tuple[int, ...] = ()
    hide_all: bool = False
    safety_topic: str | None = None
    verdict: Verdict | None = None


def known(person: Person, now: float) -> Known:
    """What the turn may know, with the day's pseudonym and site."""
    return Known(
        id=person.id,
        channel=person.channel,
        choice=person.choice,
        last_clear=person.last_clear,
        hint=person.hint,
        site=people.current_site(person, datetime.fromtimestamp(now, UTC).date()),
        pseudonym=people.current_pseudonym(person, now),
    )


class Conversation:
    """Answers what people send; holds no state of its own between turns."""

    def __init__(self, *, speaker: Speaker, reader: Reader, rasa: RasaClient, today: Callable[[], date]) -> None:
        self.speaker = speaker
        self._reader = reader
        self._rasa = rasa
        self._today = today

    async def answer(self, person: Known, incoming: Incoming) -> Outcome:
        """The outcome of one incoming thing; raises :class:`RasaFailed` where Rasa is needed and away."""
        if incoming.kind is Sent.BUTTON:
            return await self._button(person, incoming.data)
        if incoming.kind is Sent.COMMAND:
            return await self._command(person, incoming)
        if incoming.kind is Sent.GROUP:
            return Outcome([self.speaker.line(GROUP_LEAVE, person.fallback_language())])
        if incoming.kind is Sent.LOCATION:
            return self._location(person, incoming)
        if incoming.text.strip():
            return await self._words(person, incoming)
        return self._wordless(person, incoming)

    def wait_line(self, person: Known) -> Message:
        """The truth while a part is down: stored, seen by nobody, and the emergency line."""
        message = self.speaker.line("utter_stored_wait", person.fallback_language())
        return message.with_text(self.speaker.emergency_line(message.language))

    async def _words(self, person: Known, incoming: Incoming) -> Outcome:
        reading = self._reader.read(incoming.text)
        language = language_of_turn(
            message=reading.identified,
            letters=reading.letters,
            choice=person.choice,
            last_clear=person.last_clear,
            hint=person.hint,
        )
        verdict = await self._verdict(reading)
        change = self._remember_language(reading)
        if verdict.danger_topic:
            safety = self.speaker.safety(verdict.danger_topic, language)
            return Outcome([safety], change, safety_topic=verdict.danger_topic, verdict=verdict)
        bad = self._bad_words(incoming, reading)
        if bad:
            return Outcome([self.speaker.line(bad, language).with_rows(self._menu(language))], change)
        messages = await self._spoken(person, verdict, language, reading.identified.variety)
        messages = self._with_switch_offer(person, messages, language, reading)
        return Outcome([*self._before(incoming, language), *messages], change, verdict=verdict)

    async def _verdict(self, reading: Reading) -> Verdict:
        """With the model where it answers; a danger on the lists does not wait for it."""
        text = for_the_parser(reading.text)
        if not light(text):
            return self._reader.verdict(reading, ())
        if not reading.hits:
            return self._reader.verdict(reading, await self._rasa.parse(text))
        try:
            ranking: Ranking = await asyncio.wait_for(self._rasa.parse(text), _DANGER_PATIENCE)
        except (RasaFailed, TimeoutError):
            ranking = ()
        return self._reader.verdict(reading, ranking)

    async def _spoken(self, person: Known, verdict: Verdict, language: str, variety: str) -> list[Message]:
        """What Rasa says to a decision; a language that we do not speak is answered here."""
        if verdict.decision is Decision.REFUSE and verdict.language not in self.speaker.languages:
            return [self.speaker.unsupported(verdict.language, language, variety)]
        intent = {Decision.ANSWER: verdict.topic, Decision.REFUSE: OUT_OF_SCOPE, Decision.OFFER: "nlu_fallback"}
        return await self._say(person, intent[verdict.decision], language, verdict.guesses)

    async def _say(self, person: Known, intent: str, language: str, guesses: tuple[str, ...] = ()) -> list[Message]:
        turn = Turn(
            id=secrets.token_hex(8),
            sender=person.pseudonym,
            intent=intent,
            language=language,
            site=person.site,
            guesses=guesses,
        )
        return await self._rasa.take(turn)

    async def _button(self, person: Known, data: str) -> Outcome:
        language = person.fallback_language()
        key, argument = data[:2], data[2:]
        if key == keys.TOPIC and argument in self.speaker.topics:
            if self.speaker.topics[argument].danger:
                return Outcome([self.speaker.safety(argument, language)], safety_topic=argument)
            return Outcome(await self._say(person, argument, language))
        if key == keys.AREA:
            page = self.speaker.area(argument, language) if argument else self.speaker.menu(language)
            return Outcome([page])
        if key == keys.LANGUAGE:
            return self._language(person, argument)
        if key == keys.ENGLISH:
            return Outcome([self.speaker.english(argument, person.site)])
        if key == keys.PERSON:
            return Outcome([self.speaker.person(language)])
        if key == keys.HIDE:
            return Outcome([self.speaker.line("utter_hidden", language)], hide_all=True)
        if key == keys.FORGET:
            return self._forget(person, argument)
        return Outcome([self.speaker.line("utter_old_button", language).with_rows(self._menu(language))])

    async def _command(self, person: Known, incoming: Incoming) -> Outcome:
        language = person.fallback_language()
        # "/help me, he is bleeding" is no command; what follows /start in one word is a poster's.
        if incoming.text and (incoming.data != "start" or " " in incoming.text):
            words = f"{incoming.data} {incoming.text}"
            return await self._words(person, replace(incoming, kind=Sent.TEXT, text=words))
        if incoming.data == "start":
            return self._start(person, incoming.text)
        if incoming.data == "menu":
            return Outcome([self.speaker.menu(language)])
        if incoming.data == "language":
            return Outcome([self.speaker.language_choice(language)])
        if incoming.data == "forget":
            return self._forget(person, "yes")
        if incoming.data in _COMMAND_TOPICS:
            return Outcome(await self._say(person, _COMMAND_TOPICS[incoming.data], language))
        return await self._words(person, replace(incoming, kind=Sent.TEXT, text=incoming.data))

    def _start(self, person: Known, argument: str) -> Outcome:
        language = person.fallback_language()
        site = argument.strip().lower()
        messages = [self.speaker.start(language, site if site in self.speaker.sites else None)]
        if person.choice is None:
            messages.append(self.speaker.language_choice(language))
        else:
            messages.append(self.speaker.menu(language))

        def change(row: Person) -> None:
            if site in self.speaker.sites:
                people.set_site(row, site, self._today())

        return Outcome(messages, change)

    def _language(self, person: Known, code: str) -> Outcome:
        if code not in self.speaker.languages:
            return Outcome([self.speaker.language_choice(person.fallback_language())])

        def change(row: Person) -> None:
            row.choice = row.last_clear = code

        return Outcome([self.speaker.language_set(code)], change)

    def _forget(self, person: Known, argument: str) -> Outcome:
        language = person.fallback_language()
        if argument != "yes":
            yes = Button(self.speaker.label("forget", language), keys.FORGET + "yes")
            no = Button(self.speaker.label("no", language), keys.AREA)
            return Outcome([self.speaker.line("utter_forget_confirm", language).with_rows(*stacked(yes, no))])
        goodbye = FORGOTTEN_WEB if person.channel == people.WEB else FORGOTTEN
        return Outcome([self.speaker.line(goodbye, language)], people.wipe)

    def _location(self, person: Known, incoming: Incoming) -> Outcome:
        message = self.speaker.line("utter_bad_location", person.fallback_language(), coordinates=incoming.data)
        rows = self.speaker.after_safety(message.language)
        return Outcome([replace(message, rows=rows, kind=Kind.SAFETY)], delete_in_chat=_ids(incoming))

    def _wordless(self, person: Known, incoming: Incoming) -> Outcome:
        language = person.fallback_language()
        message = self.speaker.line(_BAD.get(incoming.kind, "utter_bad_empty"), language)
        message = message.with_text(self.speaker.emergency_line(language)).with_rows(self._menu(language))
        return Outcome([message], delete_in_chat=_ids(incoming) if incoming.kind is Sent.CONTACT else ())

    def _bad_words(self, incoming: Incoming, reading: Reading) -> str | None:
        text = incoming.text
        if reading.letters == 0 and not any(character.isdigit() for character in light(text)):
            return "utter_bad_emoji" if without_emoji(text) != text.strip() else "utter_bad_empty"
        return "utter_bad_too_long" if len(text) > MAX_CHARACTERS else None

    def _before(self, incoming: Incoming, language: str) -> list[Message]:
        """A line that says how an unusual message was taken."""
        response = {
            Sent.EDITED: "utter_bad_edited",
            Sent.PHOTO: "utter_bad_photo",
            Sent.VIDEO: "utter_bad_video",
            Sent.VOICE: "utter_bad_voice",
            Sent.FILE: "utter_bad_file",
            Sent.FORWARD: "utter_bad_forward",
        }.get(incoming.kind)
        return [self.speaker.line(response, language)] if response else []

    def _with_switch_offer(
        self, person: Known, messages: list[Message], language: str, reading: Reading
    ) -> list[Message]:
        if not person.choice or person.choice == language or not is_clear(reading.identified, reading.letters):
            return messages
        line, button = self.speaker.switch_offer(language)
        return [*messages[:-1], messages[-1].with_text(line).with_rows((button,))]

    def _remember_language(self, reading: Reading) -> Callable[[Person], None] | None:
        if not is_clear(reading.identified, reading.letters):
            return None

        def change(row: Person) -> None:
            row.last_clear = reading.identified.language

        return change

    def _menu(self, language: str) -> tuple[Button, ...]:
        return (Button(self.speaker.label("menu", language), keys.AREA),)


def queue_outcome(
    session: Session, vault: Vault, *, person: Person, key: str, outcome: Outcome, speaker: Speaker, now: float
) -> None:
    """Write an outcome's messages and changes; the same key twice writes them once."""
    if outcome.change:
        outcome.change(person)
    messages = outcome.messages
    if outcome.safety_topic:
        text = _safety_text(outcome.safety_topic, messages[0].language)
        if not first_within_the_hour(session, vault, person.id, text, now):
            messages = [speaker.safety_repeat(messages[0].language)]
    outbox.put(session, vault, person=person, key=key, messages=messages, now=now)


def first_within_the_hour(session: Session, vault: Vault, person_id: str, text: str, now: float) -> bool:
    """Whether this safety text has not gone to this person within the hour; notes that it does now."""
    digest = vault.safety_digest(person_id, text)
    row = session.get(SafetySent, digest)
    if row is not None and row.until > now:
        return False
    if row is None:
        session.add(SafetySent(digest=digest, until=now + SAFETY_REPEAT_SECONDS))
    else:
        row.until = now + SAFETY_REPEAT_SECONDS
    return True


def forget_safety_of(session: Session, vault: Vault, person_id: str, speaker: Speaker) -> None:
    """Delete the notes of one person: the safety texts no longer stand in their chat."""
    texts = [_safety_text(topic, code) for topic in speaker.topics.danger for code in speaker.languages.codes]
    digests = [vault.safety_digest(person_id, text) for text in texts]
    session.execute(delete(SafetySent).where(SafetySent.digest.in_(digests)))


def _safety_text(topic: str, language: str) -> str:
    """The name of a safety text: somebody who changes the language has not read it yet."""
    return f"{topic}:{language}"


def forget_safety_sent(session: Session, now: float) -> None:
    """Delete the notes of safety texts that went out more than an hour ago."""
    session.execute(delete(SafetySent).where(SafetySent.until < now))


def _ids(incoming: Incoming) -> tuple[int, ...]:
    return (incoming.message_id,) if incoming.message_id is not None else ()

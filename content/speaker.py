"""Whole messages out of the catalogue: answers, safety texts, guesses, menus.

The gateway and Rasa's NLG speak through the same class, so that a person reads the same words
whether Rasa is up or down.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from content import keys
from content.catalogue import Catalogue, Said
from content.contacts import POLICE, ContactTable
from content.languages import SOURCE_LANGUAGE, Languages
from content.messages import Button, Kind, Message, Rows, paired, stacked
from content.topics import EMERGENCY_AREA, TALK_AREA, Topics
from content.yaml_file import read_yaml

PICTOGRAM = "⚠️"
_SHOWN_ENGLISH = "English:"


class Speaker:
    """Composes what a person reads; knows no person."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        topics: Topics,
        contacts: ContactTable,
        sites: dict[str, dict[str, str]],
        foreign_lines: dict[str, str],
        today: Callable[[], date] = date.today,
    ) -> None:
        self.catalogue = catalogue
        self.topics = topics
        self.contacts = contacts
        self.sites = sites
        self.foreign_lines = foreign_lines
        self._today = today

    @classmethod
    def load(cls, root: Path, today: Callable[[], date] = date.today) -> Speaker:
        """Read all content below a project folder."""
        content = root / "content"
        return cls(
            catalogue=Catalogue.load(root),
            topics=Topics.load(content / "topics.yml"),
            contacts=ContactTable.load(content / "danger" / "contacts.yml"),
            sites=read_yaml(content / "sites.yml")["sites"],
            foreign_lines=read_yaml(content / "foreign_lines.yml")["lines"],
            today=today,
        )

    @property
    def languages(self) -> Languages:
        """The languages a person can choose."""
        return self.catalogue.languages

    def respond(
        self, response: str, language: str, *, site: str | None = None, guesses: tuple[str, ...] = ()
    ) -> Message:
        """The message for any response id: safety text, guesses, small talk or answer."""
        topic = response.removeprefix("utter_")
        if topic in self.contacts.topics:
            return self.safety(topic, language)
        if response == "utter_nlu_fallback":
            return self.unsure(guesses, language)
        if response == "utter_out_of_scope":
            return self.out_of_scope(language)
        if response == "utter_change_language":
            return self.language_choice(language)
        if response == "utter_help":
            return self.menu(language, "utter_help")
        if topic in self.topics:
            return self.answer(topic, language, site=site)
        return self.line(response, language)

    def answer(self, topic: str, language: str, *, site: str | None = None) -> Message:
        """The answer to a topic with what must stand under it, and where to go next."""
        said = self.catalogue.say(f"utter_{topic}", language, site=site)
        message = Message(said.text, said.language, kind=Kind.ANSWER, response=said.response)
        person: tuple[Button, ...] = ()
        if self.topics[topic].area != TALK_AREA:
            message = message.with_text(*self._notes(said))
            person = self._person_row(said)
        related = [self.topic_button(name, said.language) for name in said.metadata.get("related", ())]
        message = message.with_rows(*stacked(*related))
        return message.with_rows(
            *self._english(said),
            *self._forget(topic, said.language),
            person,
            self._menu_row(said.language),
        )

    def line(self, response: str, language: str, /, **values: str) -> Message:
        """A sentence the program itself says."""
        said = self.catalogue.say(response, language, values=values)
        return Message(said.text, said.language, kind=Kind.LINE, response=response)

    def safety(self, topic: str, language: str) -> Message:
        """The safety text of a danger topic: what to do, whom to call, one sentence to show.

        A translation that no speaker has signed is followed by the English at once.
        """
        text, spoken, signed = self._safety_text(topic, language)
        if not signed:
            english, _, _ = self._safety_text(topic, SOURCE_LANGUAGE)
            draft = self.catalogue.line("utter_draft_line", spoken)
            text = "\n\n".join([text, draft, f"{_SHOWN_ENGLISH}\n{english}"])
        return Message(f"{PICTOGRAM}\n{text}", spoken, self.after_safety(spoken), Kind.SAFETY, f"utter_{topic}")

    def safety_repeat(self, language: str) -> Message:
        """What is said when the same danger is written again within the hour."""
        message = self.line("utter_safety_repeat", language)
        return Message(
            message.text, message.language, self.after_safety(message.language), Kind.SAFETY, message.response
        )

    def after_safety(self, language: str) -> Rows:
        """The only two buttons under a safety text: a person, and hide."""
        return stacked(
            Button(self.label("person", language), keys.PERSON), Button(self.label("hide", language), keys.HIDE)
        )

    def unsure(self, guesses: tuple[str, ...], language: str) -> Message:
        """Up to three guesses as buttons, a way to a person, the emergency line."""
        message = self.line("utter_nlu_fallback", language)
        language = message.language
        buttons = [self.topic_button(topic, language) for topic in guesses if topic in self.topics]
        return message.with_text(self.emergency_line(language)).with_rows(
            *stacked(*buttons), (Button(self.label("person", language), keys.PERSON),), self._menu_row(language)
        )

    def out_of_scope(self, language: str) -> Message:
        """What is said to a message that none of the topics covers."""
        message = self.line("utter_out_of_scope", language)
        language = message.language
        return message.with_text(self.emergency_line(language)).with_rows(
            (Button(self.label("person", language), keys.PERSON),), self._menu_row(language)
        )

    def start(self, language: str, site: str | None = None) -> Message:
        """The welcome, with the centre of a poster where there is one."""
        message = self._with_draft_line(self.line("utter_start", language))
        if site is None:
            return message
        return message.with_text(self.catalogue.line("utter_start_site", message.language, site=self.site_name(site)))

    def language_set(self, language: str) -> Message:
        """What is said when a language was chosen: the menu, and that the words are drafts."""
        return self._with_draft_line(self.menu(language, "utter_language_set"))

    def unsupported(self, code: str, fallback: str, variety: str = "") -> Message:
        """What somebody gets whose language we do not speak: a line of their own where we have one."""
        own = self.foreign_lines.get(variety) or self.foreign_lines.get(code)
        english = self.line("utter_unsupported", fallback)
        text = "\n\n".join([f"{PICTOGRAM} {own}", self.emergency_line(SOURCE_LANGUAGE)]) if own else english.text
        if not own:
            text = "\n\n".join([f"{PICTOGRAM} {text}", self.emergency_line(english.language)])
        language = code if own else english.language
        return Message(text, language, self.language_choice(SOURCE_LANGUAGE).rows, Kind.LINE, "utter_unsupported")

    def person(self, language: str) -> Message:
        """The way to a person, with whether anyone is on duty."""
        message = self.line("utter_person_line", language)
        return message.with_text(self.emergency_line(message.language)).with_rows(self._menu_row(message.language))

    def menu(self, language: str, response: str = "utter_menu") -> Message:
        """The areas, emergencies on top."""
        message = self.line(response, language)
        language = message.language
        areas = [Button(self.area_title(area, language), keys.AREA + area) for area in self.topics.areas]
        talk = Button(self.label("language", language), keys.LANGUAGE)
        return message.with_rows((areas[0],), *paired(areas[1:]), (talk,))

    def area(self, area: str, language: str) -> Message:
        """The topics of an area."""
        if area not in self.topics.areas:
            return self.menu(language)
        title = self.catalogue.say(f"utter_area_{area}", language)
        buttons = [self.topic_button(topic.id, title.language) for topic in self.topics.areas[area]]
        back = Button(self.label("back", title.language), keys.AREA)
        message = Message(title.text, title.language, (*stacked(*buttons), (back,)), Kind.LINE, title.response)
        if area != EMERGENCY_AREA:
            return message
        abroad = self.catalogue.line("utter_safety_croatia", title.language)
        return message.with_text(self.emergency_line(title.language), abroad)

    def language_choice(self, language: str) -> Message:
        """The languages by their own names."""
        message = self.line("utter_choose_language", language)
        buttons = [Button(entry.own_name, keys.LANGUAGE + entry.code) for entry in self.languages]
        return message.with_rows(*paired(buttons))

    def english(self, response: str, site: str | None = None) -> Message:
        """The English original behind a translation, for the same site."""
        if response not in self.catalogue.responses:
            return self.line("utter_old_button", SOURCE_LANGUAGE)
        return self.respond(response, SOURCE_LANGUAGE, site=site)

    def switch_offer(self, language: str) -> tuple[str, Button]:
        """The line and the button that offer to answer always in a language."""
        name = self.languages[language].own_name
        return self.catalogue.line("utter_switch_offer", language, language=name), Button(
            name, keys.LANGUAGE + language
        )

    def emergency_line(self, language: str) -> str:
        """The one line that ends every unsure and out-of-scope answer."""
        return self.catalogue.line("utter_emergency_line", language)

    def topic_button(self, topic: str, language: str) -> Button:
        """A button that leads to a topic."""
        return Button(self.catalogue.title(topic, language), keys.TOPIC + topic)

    def area_title(self, area: str, language: str) -> str:
        """What an area is called."""
        return self.catalogue.line(f"utter_area_{area}", language)

    def label(self, key: str, language: str) -> str:
        """The label of a standing button."""
        return self.catalogue.line(f"utter_button_{key}", language)

    def site_name(self, site: str) -> str:
        """The name of a centre, in Latin letters."""
        return self.sites[site]["name"]

    def _safety_text(self, topic: str, language: str) -> tuple[str, str, bool]:
        first = self.contacts.topics[topic]
        steps = self.catalogue.say(f"utter_{topic}", language)
        language = steps.language
        by_phone = bool(first.contacts) and first.contacts[0].to_call
        said = [
            self.catalogue.say("utter_safety_machine" if by_phone else "utter_safety_machine_no_call", language),
            steps,
            self.catalogue.say("utter_safety_numbers" if by_phone else "utter_safety_contacts", language),
            *[self.catalogue.say(contact.response, language) for contact in first.contacts],
        ]
        show = self.catalogue.say("utter_safety_show", language)
        meaning = self.catalogue.say(f"utter_show_{topic}", language)
        blocks = [said[1].text, "\n".join(part.text for part in said[2:]), said[0].text]
        if any(contact.key == POLICE for contact in first.contacts):
            papers = self.catalogue.say("utter_safety_papers", language)
            blocks.append(papers.text)
            said.append(papers)
        if by_phone:
            said.append(self.catalogue.say("utter_safety_retry", language))
            blocks.append(said[-1].text)
        blocks.append(f"{show.text}\n«{first.show}»\n({meaning.text})")
        return "\n\n".join(blocks), language, all(part.state.signed for part in [*said, show, meaning])

    def _with_draft_line(self, message: Message) -> Message:
        """Said once where somebody begins, so that menus and short lines need not repeat it."""
        if message.language == SOURCE_LANGUAGE:
            return message
        said = self.catalogue.say(message.response, message.language)
        return (
            message
            if said.state.signed
            else message.with_text(self.catalogue.line("utter_draft_line", message.language))
        )

    def _notes(self, said: Said) -> list[str]:
        """What must be said under an answer: for which centre, that it is old, that it is a draft."""
        notes = []
        if said.site:
            notes.append(self.catalogue.line("utter_site_line", said.language, site=self.site_name(said.site)))
        if self._stale(said):
            checked = str(said.metadata.get("checked") or said.metadata["review_by"])
            notes.append(self.catalogue.line("utter_stale_line", said.language, date=checked))
        if not said.state.signed:
            notes.append(self.catalogue.line("utter_draft_line", said.language))
        return notes

    def _stale(self, said: Said) -> bool:
        review_by = str(said.metadata.get("review_by", ""))
        return bool(review_by) and review_by < self._today().isoformat()

    def _person_row(self, said: Said) -> tuple[Button, ...]:
        """A person, where the answer is old (docs/protection.md, rule 6)."""
        return (Button(self.label("person", said.language), keys.PERSON),) if self._stale(said) else ()

    def _english(self, said: Said) -> Rows:
        if said.state.signed or said.language == SOURCE_LANGUAGE:
            return ()
        return ((Button(self.label("english", said.language), keys.ENGLISH + said.response),),)

    def _forget(self, topic: str, language: str) -> Rows:
        return ((Button(self.label("forget", language), keys.FORGET + "yes"),),) if topic == "forget_me" else ()

    def _menu_row(self, language: str) -> tuple[Button, ...]:
        return (Button(self.label("menu", language), keys.AREA),)

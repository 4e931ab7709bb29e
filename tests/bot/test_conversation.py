"""One turn: danger first, whatever else is down; and a sentence for everything that can be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import people
from bot.conversation import Conversation, Known, Outcome, forget_safety_of, queue_outcome
from bot.gateway_store import GatewayStore
from bot.incoming import Incoming, Sent
from bot.models import Person
from bot.people import TELEGRAM, WEB
from bot.rasa_client import RasaClient, RasaFailed
from bot.understanding import MAX_CHARACTERS, Reader
from content import keys
from content.messages import Kind
from content.speaker import Speaker
from content.topics import OUT_OF_SCOPE
from tests.bot.test_outbox import drain
from tests.factories import CODES, PLACE, address
from tests.rasa_double import RasaDouble, rasa_double
from text.danger import DangerLists
from text.language import LanguageModel, train

LISTS = {
    "en": {"topics": {"emergency_help": ["bleeding"], "mines_found": ["landmine"]}},
    "fa": {"topics": {"emergency_help": ["خون"]}},
}
SENTENCES = {
    "en": ["where can i sleep tonight", "i want to work here please", "how are you my friend"],
    "fa": ["امشب کجا بخوابم", "می‌خواهم اینجا کار کنم", "حال شما چطور است"],
    "fr": ["où puis-je dormir ce soir", "je veux travailler ici", "comment allez-vous mon ami"],
}
STRANGER = Known("p1", TELEGRAM, None, None, None, None, "pseudonym")
TODAY = date(2026, 11, 23)


@pytest.fixture
def rasa() -> Iterator[RasaDouble]:
    with rasa_double() as double:
        yield double


@pytest.fixture(scope="module")
def language_model() -> LanguageModel:
    pairs = [(text, code) for code, texts in SENTENCES.items() for text in texts]
    return train([text for text, _ in pairs], [code for _, code in pairs])


@pytest.fixture
async def conversation(
    rasa: RasaDouble, speaker: Speaker, language_model: LanguageModel, tmp_path: Path
) -> AsyncIterator[Conversation]:
    for code, content in LISTS.items():
        (tmp_path / f"{code}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    danger = speaker.topics.danger
    reader = Reader(
        lists=DangerLists.load(tmp_path, LISTS, danger), danger_topics=danger, language_model=language_model
    )
    client = RasaClient(rasa.url)
    yield Conversation(speaker=speaker, reader=reader, rasa=client, today=lambda: TODAY)
    await client.close()


def text(words: str, kind: Sent = Sent.TEXT) -> Incoming:
    return Incoming(kind, text=words, message_id=PLACE)


def tapped(data: str) -> Incoming:
    return Incoming(Sent.BUTTON, data=data, message_id=PLACE)


def command(name: str, argument: str = "") -> Incoming:
    return Incoming(Sent.COMMAND, text=argument, data=name, message_id=PLACE)


def changed(outcome: Outcome, **known: Any) -> Person:
    """The row of a person after the outcome."""
    row = Person(id="p1", **known)
    if outcome.change:
        outcome.change(row)
    return row


# --- danger first (design.md, decision 4) ------------------------------------------------------------


@pytest.mark.parametrize(
    "incoming",
    [
        text("he is bleeding"),
        text("/bleeding"),
        text("he is bleeding", Sent.EDITED),
        text("he is bleeding", Sent.FORWARD),
        text("he is bleeding", Sent.PHOTO),
        text("he is bleeding", Sent.FILE),
        text("where can i sleep tonight " * (MAX_CHARACTERS // 26 + 1) + " bleeding"),
        command("help", "me he is bleeding"),
        command("menu", "he is bleeding"),
        command("start", "my brother is bleeding"),
        command("forget", "it he is bleeding"),
    ],
    ids=lambda incoming: f"{incoming.kind.value} {incoming.data} {incoming.text[-22:]}",
)
async def test_a_danger_on_the_lists_is_answered_while_rasa_is_away(
    conversation: Conversation, rasa: RasaDouble, incoming: Incoming
) -> None:
    rasa.status = 500
    outcome = await conversation.answer(STRANGER, incoming)
    [message] = outcome.messages
    assert outcome.safety_topic == "emergency_help"
    assert message == conversation.speaker.safety("emergency_help", message.language)
    assert not [path for path, _ in rasa.asked if path == "/webhooks/rest/webhook"]


async def test_a_danger_that_only_the_model_sees_is_answered_without_a_turn(
    conversation: Conversation, rasa: RasaDouble
) -> None:
    rasa.ranking = [("protection_kidnap", 0.8), ("asylum_work", 0.2)]
    outcome = await conversation.answer(STRANGER, text("they hold us in a house"))
    assert outcome.safety_topic == "protection_kidnap"
    assert [path for path, _ in rasa.asked] == ["/model/parse"]


async def test_a_danger_from_the_menu_needs_nobody(conversation: Conversation, rasa: RasaDouble) -> None:
    rasa.status = 500
    for topic in conversation.speaker.topics.danger:
        outcome = await conversation.answer(replace(STRANGER, choice="ur"), tapped(keys.TOPIC + topic))
        assert outcome.messages == [conversation.speaker.safety(topic, "ur")]
        assert outcome.safety_topic == topic
    assert rasa.asked == []


async def test_a_danger_is_answered_in_the_language_of_a_clear_message(conversation: Conversation) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="ps"), text("امشب کجا بخوابم خون می‌آید"))
    assert outcome.messages == [conversation.speaker.safety("emergency_help", "fa")]


# --- turns -------------------------------------------------------------------------------------------


async def test_words_become_an_intent_and_stay_here(conversation: Conversation, rasa: RasaDouble) -> None:
    rasa.ranking = [("asylum_work", 0.9), (OUT_OF_SCOPE, 0.1)]
    person = replace(STRANGER, site="lipa")
    outcome = await conversation.answer(person, text("i want to work here please"))
    assert [message.text for message in outcome.messages] == ["You may work."]
    [(_, body)] = [asked for asked in rasa.asked if asked[0] == "/webhooks/rest/webhook"]
    assert body["message"] == "/asylum_work"
    assert body["sender"] == "pseudonym"
    assert (body["metadata"]["language"], body["metadata"]["site"]) == ("en", "lipa")
    assert "work here please" not in str(body)


@pytest.mark.parametrize(
    ("ranking", "intent", "guesses"),
    [
        ([("asylum_work", 0.9)], "/asylum_work", ["asylum_work"]),
        ([("asylum_work", 0.3), ("asylum_start", 0.2)], "/nlu_fallback", ["asylum_work", "asylum_start"]),
        ([(OUT_OF_SCOPE, 0.9), ("hello", 0.1)], "/out_of_scope", ["hello"]),
    ],
)
async def test_the_decision_becomes_the_turn(
    conversation: Conversation, rasa: RasaDouble, ranking: list[tuple[str, float]], intent: str, guesses: list[str]
) -> None:
    rasa.ranking = ranking
    await conversation.answer(STRANGER, text("i want to work here please"))
    path, body = rasa.asked[-1]
    assert (path, body["message"], body["metadata"]["guesses"]) == ("/webhooks/rest/webhook", intent, guesses)


@pytest.mark.parametrize("incoming", [text("i want to work"), tapped("t:asylum_work"), command("privacy")])
async def test_what_needs_rasa_waits_for_it(conversation: Conversation, rasa: RasaDouble, incoming: Incoming) -> None:
    rasa.status = 500
    with pytest.raises(RasaFailed):
        await conversation.answer(STRANGER, incoming)


async def test_rule_1_the_line_while_rasa_is_away_says_that_nobody_has_seen_it(conversation: Conversation) -> None:
    for code in CODES:
        message = conversation.wait_line(replace(STRANGER, choice=code))
        speaker = conversation.speaker
        assert message.text.startswith(speaker.catalogue.line("utter_stored_wait", code))
        assert message.text.endswith(speaker.emergency_line(code))


async def test_rule_31_a_language_that_we_do_not_speak_gets_its_own_line(
    conversation: Conversation, rasa: RasaDouble
) -> None:
    outcome = await conversation.answer(STRANGER, text("où puis-je dormir ce soir mon ami"))
    assert outcome.messages == [conversation.speaker.unsupported("fr", "en", "fr")]
    assert [path for path, _ in rasa.asked] == ["/model/parse"]


# --- the language (decision 6) -----------------------------------------------------------------------


async def test_a_clear_message_is_answered_in_its_language_with_an_offer_to_switch(
    conversation: Conversation,
) -> None:
    person = replace(STRANGER, choice="ur")
    outcome = await conversation.answer(person, text("where can i sleep tonight my friend"))
    line, button = conversation.speaker.switch_offer("en")
    assert outcome.messages[-1].language == "en"
    assert outcome.messages[-1].text.endswith(line)
    assert outcome.messages[-1].buttons[-1] == button
    after = changed(outcome, choice="ur")
    assert (after.choice, after.last_clear) == ("ur", "en"), "the choice never flips by itself"


async def test_there_is_no_offer_to_who_chose_nothing_or_the_same(conversation: Conversation) -> None:
    for choice in (None, "en"):
        outcome = await conversation.answer(
            replace(STRANGER, choice=choice), text("where can i sleep tonight my friend")
        )
        assert [button.data for button in outcome.messages[-1].buttons] == ["t:asylum_start", "m:"]


@pytest.mark.parametrize("code", CODES)
async def test_a_button_sets_the_language(conversation: Conversation, code: str) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="en"), tapped(f"l:{code}"))
    assert {message.language for message in outcome.messages} == {code}
    assert changed(outcome, choice="en").choice == code


async def test_a_language_that_is_not_ours_cannot_be_chosen(conversation: Conversation) -> None:
    outcome = await conversation.answer(STRANGER, tapped("l:fr"))
    assert outcome.messages == [conversation.speaker.language_choice("en")]
    assert outcome.change is None


# --- buttons and commands ----------------------------------------------------------------------------


async def test_rule_7_the_english_behind_an_answer_is_of_the_same_site(conversation: Conversation) -> None:
    speaker = conversation.speaker
    name, site = next(
        (r.name, v.site)
        for r in speaker.catalogue.responses.values()
        for v in r.variants
        if v.site and not speaker.topics[r.name.removeprefix("utter_")].danger
    )
    outcome = await conversation.answer(replace(STRANGER, choice="ur", site=site), tapped(f"e:{name}"))
    assert outcome.messages == [speaker.respond(name, "en", site=site)]


async def test_rule_14_hide_says_what_it_cannot_delete(conversation: Conversation) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="fa"), tapped(keys.HIDE))
    assert outcome.hide_all
    assert outcome.messages == [conversation.speaker.line("utter_hidden", "fa")]


@pytest.mark.parametrize("channel", [TELEGRAM, WEB])
async def test_rule_13_delete_is_asked_back_and_says_what_it_deletes(conversation: Conversation, channel: str) -> None:
    person = replace(STRANGER, channel=channel, choice="ar")
    asked = await conversation.answer(person, tapped("f:ask"))
    assert "f:yes" in [button.data for button in asked.messages[0].buttons]
    assert asked.change is None
    done = await conversation.answer(person, tapped("f:yes"))
    assert done.change is people.wipe
    assert "Telegram" in done.messages[0].text or channel == WEB


@pytest.mark.parametrize("data", ["", "z:", "t:", "t:not_there", "💥", "m", "e"])
async def test_an_old_button_gets_a_sentence_and_the_menu(conversation: Conversation, data: str) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="ps"), tapped(data))
    assert outcome.messages[0].text == conversation.speaker.catalogue.line("utter_old_button", "ps")
    assert [button.data for button in outcome.messages[0].buttons] == [keys.AREA]


@pytest.mark.parametrize(("argument", "site"), [("lipa", "lipa"), ("LIPA", "lipa"), ("nowhere", None), ("", None)])
async def test_a_poster_leads_in_and_its_site_is_remembered(
    conversation: Conversation, argument: str, site: str | None
) -> None:
    outcome = await conversation.answer(STRANGER, command("start", argument))
    speaker = conversation.speaker
    assert outcome.messages == [speaker.start("en", site), speaker.language_choice("en")]
    row = changed(outcome)
    assert row.site == site
    assert people.current_site(row, TODAY) == site


@pytest.mark.parametrize("name", ["menu", "language", "start"])
async def test_commands_work_while_rasa_is_away(conversation: Conversation, rasa: RasaDouble, name: str) -> None:
    rasa.status = 500
    outcome = await conversation.answer(replace(STRANGER, choice="fa"), command(name))
    assert {message.language for message in outcome.messages} == {"fa"}


# --- whatever else can be sent -----------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "kind", [Sent.VOICE, Sent.VIDEO, Sent.PHOTO, Sent.STICKER, Sent.FILE, Sent.CONTACT, Sent.OTHER]
)
async def test_what_has_no_words_gets_a_sentence_and_the_emergency_line(
    conversation: Conversation, kind: Sent, code: str
) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice=code), Incoming(kind, message_id=PLACE))
    [message] = outcome.messages
    assert message.language == code
    assert message.text.endswith(conversation.speaker.emergency_line(code))
    assert outcome.delete_in_chat == ((PLACE,) if kind is Sent.CONTACT else ())


@pytest.mark.parametrize("words", ["🚨🚨", "", "   ", "\u202e\u202e", "\x00\x07", "?!", "…"])
async def test_what_has_no_letters_gets_a_sentence(conversation: Conversation, words: str) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="ur"), text(words))
    assert [message.language for message in outcome.messages] == ["ur"]
    assert outcome.messages[0].text.strip()


async def test_ten_thousand_letters_get_a_sentence(conversation: Conversation) -> None:
    outcome = await conversation.answer(replace(STRANGER, choice="ur"), text("ا" * 10_000))
    assert outcome.messages[0].response == "utter_bad_too_long"


async def test_rule_5_a_location_comes_back_as_coordinates_and_is_deleted(conversation: Conversation) -> None:
    where = Incoming(Sent.LOCATION, data="44.81235, 15.87010", message_id=PLACE)
    for code in CODES:
        outcome = await conversation.answer(replace(STRANGER, choice=code), where)
        [message] = outcome.messages
        assert "44.81235, 15.87010" in message.text
        assert all(number in message.text for number in ("121", "122", "124"))
        assert message.kind is Kind.SAFETY
        assert [button.data for button in message.buttons] == [keys.PERSON, keys.HIDE]
        assert outcome.delete_in_chat == (PLACE,)
        assert outcome.change is None, "nothing of it is stored"


@pytest.mark.parametrize(
    ("kind", "line"),
    [(Sent.EDITED, "utter_bad_edited"), (Sent.FORWARD, "utter_bad_forward"), (Sent.PHOTO, "utter_bad_photo")],
)
async def test_unusual_words_are_answered_after_a_line_about_them(
    conversation: Conversation, kind: Sent, line: str
) -> None:
    outcome = await conversation.answer(STRANGER, text("i want to work here please", kind))
    assert [message.response for message in outcome.messages] == [line, "utter_asylum_work"]


async def test_a_group_is_told_why_it_is_left(conversation: Conversation) -> None:
    outcome = await conversation.answer(STRANGER, Incoming(Sent.GROUP))
    assert [message.response for message in outcome.messages] == ["utter_group_leave"]


# --- the same danger again (rule 4) ------------------------------------------------------------------


class Chat:
    """Queues outcomes for one person, at times of our choice."""

    def __init__(self, store: GatewayStore, speaker: Speaker) -> None:
        self.store, self.speaker = store, speaker
        self._turns = iter(range(1, 100))

    def danger(self, topic: str, now: float, language: str = "ur", by: str = "4077") -> str:
        """What goes out for a danger: ``steps`` or ``repeat``."""
        message = self.speaker.safety(topic, language)
        outcome = Outcome([message], safety_topic=topic)

        def work(session: Any) -> None:
            person = people.find_or_make(session, self.store.vault, address(by), now)
            key = f"in:{next(self._turns)}"
            queue_outcome(
                session, self.store.vault, person=person, key=key, outcome=outcome, speaker=self.speaker, now=now
            )

        self.store.run(work)
        [said] = drain(self.store)
        assert said in (message.text, self.speaker.safety_repeat(language).text)
        return "steps" if said == message.text else "repeat"

    def hide(self) -> None:
        """Everything in the chat was deleted."""

        def work(session: Any) -> None:
            person = people.find_or_make(session, self.store.vault, address(), 0.0)
            forget_safety_of(session, self.store.vault, person.id, self.speaker)

        self.store.run(work)


@pytest.fixture
def chat(store: GatewayStore, speaker: Speaker) -> Chat:
    return Chat(store, speaker)


def test_rule_4_the_same_text_is_not_repeated_within_the_hour(chat: Chat) -> None:
    assert chat.danger("mines_found", 1000.0) == "steps"
    assert chat.danger("mines_found", 1060.0) == "repeat"
    assert chat.danger("mines_found", 1000.0 + 3599) == "repeat"
    assert chat.danger("mines_found", 1000.0 + 3601) == "steps"
    assert chat.danger("mines_found", 1000.0 + 3700) == "repeat"


def test_rule_4_another_danger_always_breaks_through(chat: Chat) -> None:
    assert chat.danger("mines_found", 1000.0) == "steps"
    assert chat.danger("mines_accident", 1001.0) == "steps"


def test_rule_4_somebody_else_gets_the_steps(chat: Chat) -> None:
    assert chat.danger("mines_found", 1000.0) == "steps"
    assert chat.danger("mines_found", 1001.0, by="99") == "steps"


def test_rule_4_who_changes_the_language_has_not_read_the_steps_yet(chat: Chat) -> None:
    assert chat.danger("mines_found", 1000.0, "en") == "steps"
    assert chat.danger("mines_found", 1001.0, "ps") == "steps"
    assert chat.danger("mines_found", 1002.0, "ps") == "repeat"


def test_rule_4_who_hid_the_chat_gets_the_steps_again(chat: Chat) -> None:
    """ "I gave you the steps above" would be a lie: nothing stands above any more."""
    assert chat.danger("mines_found", 1000.0) == "steps"
    assert chat.danger("mines_found", 1001.0, by="99") == "steps"
    chat.hide()
    assert chat.danger("mines_found", 1002.0) == "steps"
    assert chat.danger("mines_found", 1003.0, by="99") == "repeat"

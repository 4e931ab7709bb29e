"""What a person reads, for every topic in every language: whole, in their language, with a way on."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bot.render import TELEGRAM_LIMIT, readable, utf16_length
from content import keys
from content.contacts import POLICE
from content.languages import SOURCE_LANGUAGE
from content.messages import Kind, Message
from content.speaker import PICTOGRAM, Speaker
from content.strings import as_text, catalogue_path, compile_catalogues, read
from content.topics import TALK_AREA, Topics
from settings import ROOT
from tests.factories import CODES, LANGUAGES, RIGHT_TO_LEFT, copied_project, small_project, translate
from text.scripts import dominant_script

TOPICS = Topics.load(ROOT / "content" / "topics.yml")
IDS = [topic.id for topic in TOPICS]
DANGER = TOPICS.danger
SCRIPTS = {code: "ARABIC" if code in RIGHT_TO_LEFT else "LATIN" for code in CODES}
FAR_FUTURE = date(2041, 1, 1)

in_every_language = pytest.mark.parametrize("code", CODES)
in_translations = pytest.mark.parametrize("code", LANGUAGES.translated)
for_every_danger = pytest.mark.parametrize("topic", DANGER)


@pytest.fixture(scope="module")
def old_speaker(speaker: Speaker) -> Speaker:
    """The same words, years later."""
    return Speaker.load(ROOT, today=lambda: FAR_FUTURE)


@pytest.fixture(scope="module")
def signed_speaker(tmp_path_factory: pytest.TempPathFactory) -> Speaker:
    """The same words after a speaker of each language has signed all of them."""
    root = copied_project(tmp_path_factory.mktemp("signed"))
    for code in LANGUAGES.translated:
        path = catalogue_path(root / "content" / "locale", code)
        catalog = read(path, code)
        for message in catalog:
            message.user_comments = ["state: speaker-signed 2026-12-01 N. N."] if message.id else []
        path.write_bytes(as_text(catalog))
    compile_catalogues(root)
    return Speaker.load(root, today=lambda: date(2026, 12, 1))


def leads_somewhere(speaker: Speaker, data: str) -> bool:
    """Whether the gateway knows what to do with a button's key (bot/conversation.py)."""
    known = {
        keys.TOPIC: speaker.topics,
        keys.AREA: ["", *speaker.topics.areas],
        keys.LANGUAGE: ["", *speaker.languages.codes],
        keys.ENGLISH: speaker.catalogue.responses,
        keys.PERSON: [""],
        keys.HIDE: [""],
        keys.FORGET: ["ask", "yes"],
    }
    return data[2:] in known.get(data[:2], ())


def check_buttons(speaker: Speaker, message: Message) -> None:
    for button in message.buttons:
        assert button.title.strip(), button
        assert len(button.data.encode()) <= 64, button
        assert leads_somewhere(speaker, button.data), button
    data = [button.data for button in message.buttons]
    assert len(set(data)) == len(data), "the same button twice"


def own_part(message: Message) -> str:
    """What stands before the English that follows an unsigned safety text."""
    return message.text.split("English:")[0]


# --- every topic in every language --------------------------------------------------------------


def test_there_are_the_topics_of_the_contract() -> None:
    assert len(TOPICS) == 88
    assert len(DANGER) == 15


@in_every_language
@pytest.mark.parametrize("topic", IDS)
def test_a_topic_is_answered_in_the_language(speaker: Speaker, topic: str, code: str) -> None:
    message = speaker.respond(f"utter_{topic}", code)
    assert message.language == code
    assert dominant_script(own_part(message)) == SCRIPTS[code]
    assert not set("{}") & set(message.text)
    assert message.buttons, "every answer leads on"
    check_buttons(speaker, message)
    for button in message.buttons:
        assert button.data.startswith(keys.LANGUAGE) or dominant_script(button.title) in (SCRIPTS[code], None, "LATIN")


@in_every_language
@pytest.mark.parametrize("topic", IDS)
def test_a_topic_fits_in_one_message_of_telegram(speaker: Speaker, topic: str, code: str) -> None:
    message = speaker.respond(f"utter_{topic}", code)
    assert utf16_length(readable(message, speaker.languages)) <= TELEGRAM_LIMIT


@in_translations
@pytest.mark.parametrize("topic", [topic for topic in IDS if topic not in DANGER])
def test_rule_7_a_draft_says_so_with_the_english_one_tap_away(speaker: Speaker, topic: str, code: str) -> None:
    said = speaker.catalogue.say(f"utter_{topic}", code)
    if said.state.signed:
        pytest.skip("a speaker has signed this one")
    message = speaker.respond(f"utter_{topic}", code)
    special = topic in ("change_language", "help")  # these are menus
    if not special:
        assert f"{keys.ENGLISH}utter_{topic}" in [button.data for button in message.buttons]
    if TOPICS[topic].area != TALK_AREA and not special:
        assert speaker.catalogue.line("utter_draft_line", code) in message.text


@pytest.mark.parametrize("topic", [topic for topic in IDS if topic not in DANGER])
def test_rule_7_english_and_signed_words_are_no_drafts(signed_speaker: Speaker, topic: str) -> None:
    for code in CODES:
        message = signed_speaker.respond(f"utter_{topic}", code)
        assert signed_speaker.catalogue.line("utter_draft_line", code) not in message.text
        assert not [button for button in message.buttons if button.data.startswith(keys.ENGLISH)]


@pytest.mark.parametrize("topic", [topic for topic in IDS if TOPICS[topic].area != TALK_AREA])
def test_rule_6_a_stale_answer_says_so_and_offers_a_person(old_speaker: Speaker, speaker: Speaker, topic: str) -> None:
    for code in CODES:
        message = old_speaker.respond(f"utter_{topic}", code)
        if topic in DANGER:
            assert keys.PERSON in [button.data for button in message.buttons]
            continue
        checked = old_speaker.catalogue.say(f"utter_{topic}", code).metadata["checked"]
        line = old_speaker.catalogue.line("utter_stale_line", code, date=str(checked))
        assert line in message.text
        assert str(checked) in line
        assert keys.PERSON in [button.data for button in message.buttons]
        check_buttons(old_speaker, message)


def test_rule_6_an_answer_without_a_date_of_checking_is_still_an_answer(tmp_path: Path) -> None:
    rows = [{"text": "Yes.", "metadata": {"title": "Asylum", "review_by": "2027-01-01"}}]
    project = answers(tmp_path, {"utter_asylum_start": rows})
    message = Speaker.load(project, today=lambda: FAR_FUTURE).answer("asylum_start", "en")
    assert message.text.startswith("Yes.")
    assert "old" in message.text


def answers(root: Path, responses: dict[str, object]) -> Path:
    """A project with the real lines and tables, in which some answers are ours."""
    copied_project(root)
    domain = root / "domain"
    for path in domain.glob("*.yml"):
        if path.name != "fallback.yml":
            path.unlink()
    fallback = (domain / "fallback.yml").read_text(encoding="utf-8")
    small_project(root, {"utter_button_menu": "Menu", "utter_button_person": "A person", **responses})
    (domain / "fallback.yml").write_text(fallback, encoding="utf-8")
    return root


# --- a centre of one's own ------------------------------------------------------------------------


@in_every_language
def test_rule_6_an_answer_for_a_site_names_the_site(speaker: Speaker, code: str) -> None:
    seen = 0
    for response in speaker.catalogue.responses.values():
        topic = response.name.removeprefix("utter_")
        for variant in response.variants:
            if variant.site is None or topic in DANGER:
                continue
            seen += 1
            message = speaker.respond(response.name, code, site=variant.site)
            elsewhere = speaker.respond(response.name, code)
            assert speaker.site_name(variant.site) in message.text
            assert message.text != elsewhere.text
            assert message.language == code
    assert seen, "no answer differs by site any more"


def test_every_site_variant_belongs_to_a_known_site(speaker: Speaker) -> None:
    sites = {v.site for r in speaker.catalogue.responses.values() for v in r.variants if v.site}
    assert sites <= set(speaker.sites)


@in_every_language
def test_the_welcome_names_the_site_of_the_poster(speaker: Speaker, code: str) -> None:
    welcome = speaker.catalogue.line("utter_start", code)
    for site in speaker.sites:
        line = speaker.catalogue.line("utter_start_site", code, site=speaker.site_name(site))
        assert speaker.start(code, site).text.startswith(welcome)
        assert line in speaker.start(code, site).text
        assert speaker.site_name(site) in line
        assert line not in speaker.start(code).text


def test_the_english_behind_an_answer_for_a_site_is_of_the_same_site(speaker: Speaker) -> None:
    for response in speaker.catalogue.responses.values():
        for variant in response.variants:
            if variant.site:
                english = speaker.english(response.name, site=variant.site).text
                assert english == speaker.respond(response.name, SOURCE_LANGUAGE, site=variant.site).text
                assert variant.paragraphs[0] in english


# --- danger -----------------------------------------------------------------------------------------


@in_every_language
@for_every_danger
def test_rule_1_every_safety_text_says_that_it_is_a_machine_and_called_nobody(
    speaker: Speaker, topic: str, code: str
) -> None:
    lines = [speaker.catalogue.line(name, code) for name in ("utter_safety_machine", "utter_safety_machine_no_call")]
    assert sum(line in own_part(speaker.safety(topic, code)) for line in lines) == 1


@in_every_language
@for_every_danger
def test_a_safety_text_has_the_steps_first(speaker: Speaker, topic: str, code: str) -> None:
    text = speaker.safety(topic, code).text
    steps = speaker.catalogue.line(f"utter_{topic}", code)
    assert text.startswith(PICTOGRAM)
    assert text.removeprefix(PICTOGRAM).strip().startswith(steps)
    assert len(re.findall(r"^\d+\. ", steps, re.MULTILINE)) >= 2


@in_every_language
@for_every_danger
def test_rule_3_whom_to_contact_stands_in_the_order_of_the_table(speaker: Speaker, topic: str, code: str) -> None:
    text = own_part(speaker.safety(topic, code))
    contacts = speaker.contacts.topics[topic].contacts
    lines = [speaker.catalogue.line(contact.response, code) for contact in contacts]
    places = [text.index(line) for line in lines]
    assert places == sorted(places)
    assert all(contact.number in line for contact, line in zip(contacts, lines) if contact.number)


@in_every_language
@for_every_danger
def test_rule_2_the_numbers_stand_under_their_country(speaker: Speaker, topic: str, code: str) -> None:
    text = own_part(speaker.safety(topic, code))
    contacts = speaker.contacts.topics[topic].contacts
    heading = "utter_safety_numbers" if contacts[0].to_call else "utter_safety_contacts"
    assert f"{speaker.catalogue.line(heading, code)}\n{speaker.catalogue.line(contacts[0].response, code)}" in text
    assert not re.search(r"(?<!\d)112(?!\d)", text)


@in_every_language
@for_every_danger
def test_rule_3_where_the_police_are_named_their_asking_for_papers_is_too(
    speaker: Speaker, topic: str, code: str
) -> None:
    named = POLICE in [contact.key for contact in speaker.contacts.topics[topic].contacts]
    assert (speaker.catalogue.line("utter_safety_papers", code) in own_part(speaker.safety(topic, code))) is named


@pytest.mark.parametrize(
    ("topics", "first"),
    [
        (["emergency_help", "protection_violence", "protection_sexual_violence", "protection_suicide"], "ambulance"),
        (["mines_found", "mines_inside", "mines_accident", "emergency_lost"], "civil_protection"),
        (["protection_authorities", "protection_staff_abuse"], "medical"),
    ],
)
def test_rule_3_the_first_contact(speaker: Speaker, topics: list[str], first: str) -> None:
    assert {speaker.contacts.topics[topic].contacts[0].key for topic in topics} == {first}


def test_rule_3_who_was_hurt_by_officers_is_never_sent_to_the_police_first(speaker: Speaker) -> None:
    for topic in ("protection_authorities", "asylum_detained_now", "protection_staff_abuse"):
        assert POLICE not in [contact.key for contact in speaker.contacts.topics[topic].contacts]
    authorities = [contact.key for contact in speaker.contacts.topics["protection_authorities"].contacts]
    assert authorities == ["medical", "protection_staff", "vasa_prava", "ombudsman"]


@in_every_language
@for_every_danger
def test_rule_3_one_bosnian_sentence_to_show_with_its_meaning(speaker: Speaker, topic: str, code: str) -> None:
    text = own_part(speaker.safety(topic, code))
    show = speaker.contacts.topics[topic].show
    assert text.count(show) == 1
    assert text.index(show) < text.index(speaker.catalogue.line(f"utter_show_{topic}", code))


@in_every_language
@for_every_danger
def test_rule_4_only_a_person_and_hide_stand_under_a_safety_text(speaker: Speaker, topic: str, code: str) -> None:
    message = speaker.safety(topic, code)
    assert message.kind is Kind.SAFETY
    assert [button.data for button in message.buttons] == [keys.PERSON, keys.HIDE]


@in_translations
@for_every_danger
def test_rule_7_an_unsigned_safety_text_shows_the_english_at_once(speaker: Speaker, topic: str, code: str) -> None:
    message = speaker.safety(topic, code)
    if speaker.catalogue.say(f"utter_{topic}", code).state.signed:
        pytest.skip("a speaker has signed this one")
    own, english = message.text.split("English:")
    assert speaker.catalogue.line("utter_draft_line", code) in own
    assert speaker.catalogue.line(f"utter_{topic}", SOURCE_LANGUAGE) in english
    assert speaker.catalogue.line("utter_safety_machine", SOURCE_LANGUAGE)[:30] in english


@in_every_language
@for_every_danger
def test_rule_7_a_signed_safety_text_needs_no_english(signed_speaker: Speaker, topic: str, code: str) -> None:
    text = signed_speaker.safety(topic, code).text
    assert "English:" not in text
    assert signed_speaker.catalogue.line("utter_draft_line", code) not in text


@in_every_language
@for_every_danger
def test_a_danger_topic_is_its_safety_text_however_it_is_asked_for(speaker: Speaker, topic: str, code: str) -> None:
    assert speaker.respond(f"utter_{topic}", code, site="lipa", guesses=("hello",)) == speaker.safety(topic, code)


@in_every_language
def test_rule_4_the_same_danger_again_gets_a_short_line_and_a_person(speaker: Speaker, code: str) -> None:
    message = speaker.safety_repeat(code)
    assert message.text == speaker.catalogue.line("utter_safety_repeat", code)
    assert [button.data for button in message.buttons] == [keys.PERSON, keys.HIDE]
    assert message.kind is Kind.SAFETY


def test_a_language_that_is_not_ours_gets_the_safety_text_in_english(speaker: Speaker) -> None:
    assert speaker.safety("mines_found", "fr") == speaker.safety("mines_found", "en")


# --- not sure, not ours ------------------------------------------------------------------------------


@in_every_language
def test_rule_4_unsure_offers_three_guesses_a_person_and_ends_with_the_emergency_line(
    speaker: Speaker, code: str
) -> None:
    guesses = ("asylum_start", "services_doctor", "mines_found")
    message = speaker.respond("utter_nlu_fallback", code, guesses=guesses)
    data = [button.data for button in message.buttons]
    assert data[:3] == [keys.TOPIC + guess for guess in guesses]
    assert keys.PERSON in data
    assert message.text.endswith(speaker.catalogue.line("utter_emergency_line", code))
    assert message.language == code
    check_buttons(speaker, message)


def test_a_guess_that_is_no_topic_is_no_button(speaker: Speaker) -> None:
    data = [button.data for button in speaker.unsure(("out_of_scope", "nlu_fallback", "asylum_work"), "ur").buttons]
    assert [key for key in data if key.startswith(keys.TOPIC)] == [keys.TOPIC + "asylum_work"]


@in_every_language
def test_rule_4_out_of_scope_offers_a_person_and_ends_with_the_emergency_line(speaker: Speaker, code: str) -> None:
    message = speaker.respond("utter_out_of_scope", code)
    assert keys.PERSON in [button.data for button in message.buttons]
    assert message.text.endswith(speaker.catalogue.line("utter_emergency_line", code))
    check_buttons(speaker, message)


@in_every_language
def test_a_person_is_asked_for(speaker: Speaker, code: str) -> None:
    message = speaker.person(code)
    assert message.language == code
    assert message.text.endswith(speaker.catalogue.line("utter_emergency_line", code))
    check_buttons(speaker, message)


@pytest.mark.parametrize("code", ["fr", "es", "tr", "bn", "bs", "ru"])
def test_rule_31_a_language_with_a_line_of_its_own(speaker: Speaker, code: str) -> None:
    message = speaker.unsupported(code, "en")
    own = speaker.foreign_lines[code]
    assert message.language == code
    assert message.text.startswith(PICTOGRAM)
    assert own in message.text
    assert all(number in own for number in ("124", "122", "121"))
    assert message.text.endswith(speaker.catalogue.line("utter_emergency_line", "en"))
    assert [b.data for b in message.buttons] == [keys.LANGUAGE + c for c in CODES]


@pytest.mark.parametrize("variety", ["kmr", "ckb"])
def test_rule_31_kurdish_is_answered_in_its_own_writing(speaker: Speaker, variety: str) -> None:
    assert speaker.foreign_lines[variety] in speaker.unsupported("ku", "en", variety).text


@pytest.mark.parametrize("fallback", CODES)
def test_rule_31_a_language_without_a_line_gets_the_pictogram_and_the_numbers(speaker: Speaker, fallback: str) -> None:
    message = speaker.unsupported("xx", fallback)
    assert message.language == fallback
    assert message.text.startswith(PICTOGRAM)
    assert message.text.endswith(speaker.catalogue.line("utter_emergency_line", fallback))
    check_buttons(speaker, message)


# --- menus --------------------------------------------------------------------------------------------


@in_every_language
def test_every_topic_is_three_taps_away_with_emergencies_on_top(speaker: Speaker, code: str) -> None:
    menu = speaker.menu(code)
    check_buttons(speaker, menu)
    areas = [button.data for button in menu.buttons if button.data.startswith(keys.AREA)]
    assert areas[0] == f"{keys.AREA}emergency"
    assert menu.rows[0] == (menu.buttons[0],), "the emergencies have a row of their own"
    reached = set()
    for area in areas:
        page = speaker.area(area.removeprefix(keys.AREA), code)
        assert page.language == code
        check_buttons(speaker, page)
        assert page.buttons[-1].data == keys.AREA, "and back"
        reached |= {b.data.removeprefix(keys.TOPIC) for b in page.buttons if b.data.startswith(keys.TOPIC)}
    assert reached == set(IDS)


def test_an_area_that_is_not_there_is_the_menu(speaker: Speaker) -> None:
    assert speaker.area("weather", "ur") == speaker.menu("ur")


@in_every_language
def test_languages_are_chosen_by_their_own_names(speaker: Speaker, code: str) -> None:
    message = speaker.language_choice(code)
    assert [(b.title, b.data) for b in message.buttons] == [(x.own_name, keys.LANGUAGE + x.code) for x in LANGUAGES]


@in_every_language
def test_the_offer_to_switch_names_the_language_in_its_own_letters(speaker: Speaker, code: str) -> None:
    line, button = speaker.switch_offer(code)
    assert LANGUAGES[code].own_name in line
    assert (button.title, button.data) == (LANGUAGES[code].own_name, keys.LANGUAGE + code)


@in_every_language
def test_titles_of_topics_are_told_apart(speaker: Speaker, code: str) -> None:
    titles = [speaker.catalogue.title(topic, code) for topic in IDS]
    assert len(set(titles)) == len(titles)


def test_the_english_original(speaker: Speaker) -> None:
    assert speaker.english("utter_asylum_work").language == "en"
    assert speaker.english("utter_asylum_work") == speaker.respond("utter_asylum_work", "en")
    assert speaker.english("utter_not_there").response == "utter_old_button"


def test_rule_13_forgetting_is_a_button_under_its_answer(speaker: Speaker) -> None:
    for code in CODES:
        assert f"{keys.FORGET}yes" in [button.data for button in speaker.answer("forget_me", code).buttons]


def test_a_response_that_is_not_translated_comes_whole_in_english_with_english_buttons(tmp_path: Path) -> None:
    rows = [{"text": "Ask.\n\nWait.", "metadata": {"title": "Work", "related": ["asylum_start"]}}]
    start = [{"text": "Say it.", "metadata": {"title": "Start"}}]
    project = answers(tmp_path, {"utter_asylum_work": rows, "utter_asylum_start": start})
    translate(project, "ur", {("utter_asylum_work", "Ask."): "پوچھیں۔", ("utter_asylum_start", "Start"): "آغاز"})
    message = Speaker.load(project).answer("asylum_work", "ur")
    assert (message.text, message.language) == ("Ask.\n\nWait.", "en")
    assert [button.title for button in message.buttons] == ["Start", "Menu"]

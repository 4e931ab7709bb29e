"""The language identifier, trained here on a handful of sentences: seconds, no files."""

from __future__ import annotations

import numpy as np
import pytest

from text.language import (
    OURS,
    UNDETERMINED,
    Identified,
    LanguageModel,
    features,
    identify_by_letters,
    train,
)
from text.scripts import ARABIC, LATIN

SENTENCES = {
    "en": [
        "where is the camp",
        "i need a doctor",
        "how can i apply for asylum",
        "thank you very much",
        "help me please",
    ],
    "ar": ["أين المخيم", "أحتاج إلى طبيب", "كيف أقدم طلب اللجوء", "شكرا جزيلا لكم", "من فضلك ساعدني الآن"],
    "fa": ["کمپ کجاست", "من به دکتر نیاز دارم", "چگونه درخواست پناهندگی بدهم", "خیلی ممنون هستم", "لطفا کمکم کنید"],
    "ps": ["کمپ چېرته دی", "زه ډاکټر ته اړتیا لرم", "څنګه د پناه غوښتنه وکړم", "ډېره مننه", "مهرباني وکړئ مرسته وکړئ"],
    "ur": ["کیمپ کہاں ہے", "مجھے ڈاکٹر کی ضرورت ہے", "پناہ کی درخواست کیسے دوں", "بہت شکریہ", "میری مدد کریں"],
    "ar-latn": ["wayn el mukhayyam", "ahtaj tabib", "kif aqaddim lujou", "shukran jazilan", "sa3idni law samaht"],
    "fa-latn": [
        "kamp kojast",
        "man be doktor niaz daram",
        "chetor panahandegi begiram",
        "kheyli mamnoon",
        "komakam konid",
    ],
    "ur-latn": [
        "camp kahan hai",
        "mujhe doctor ki zaroorat hai",
        "panah ki darkhwast kaise doon",
        "bohat shukriya",
        "meri madad karein",
    ],
    "fr": [
        "où est le camp",
        "j'ai besoin d'un médecin",
        "comment demander l'asile",
        "merci beaucoup",
        "aidez moi s'il vous plaît",
    ],
    "ckb": ["کەمپەکە لە کوێیە", "پێویستم بە پزیشکە", "چۆن داوای پەنابەری بکەم", "زۆر سوپاس", "تکایە یارمەتیم بدەن"],
}


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    pairs = [(sentence, name) for name, sentences in SENTENCES.items() for sentence in sentences]
    return train([sentence for sentence, _ in pairs], [name for _, name in pairs])


@pytest.mark.parametrize(
    ("text", "language", "romanised"),
    [
        ("i need help please", "en", False),
        ("أحتاج طبيب من فضلك", "ar", False),
        ("من کمک نیاز دارم لطفا", "fa", False),
        ("زه مرسته غواړم ډېره مننه", "ps", False),
        ("مجھے مدد کی ضرورت ہے", "ur", False),
        ("mujhe madad ki zaroorat hai", "ur", True),
        ("man komak niaz daram kheyli", "fa", True),
        ("ahtaj tabib shukran", "ar", True),
    ],
)
def test_romanised_text_has_its_own_language(model: LanguageModel, text: str, language: str, romanised: bool) -> None:
    found = model.identify(text)
    assert (found.language, found.romanised) == (language, romanised)
    assert found.ours
    assert 0.0 < found.probability <= 1.0


def test_a_language_we_do_not_speak_is_named_and_not_ours(model: LanguageModel) -> None:
    found = model.identify("merci aidez moi s'il vous plaît")
    assert found.language == "fr"
    assert not found.ours


def test_a_way_of_writing_stays_known_behind_the_iso_code(model: LanguageModel) -> None:
    found = model.identify("زۆر سوپاس پزیشکە")
    assert (found.language, found.variety, found.ours) == ("ku", "ckb", False)


@pytest.mark.parametrize(
    ("text", "language"), [("ሰላም እርዳኝ", "am"), ("привет, мне нужен врач", "ru"), ("ਮੈਨੂੰ ਮਦਦ", "pa"), ("你好", "zh")]
)
def test_other_scripts_name_their_language_without_any_model(model: LanguageModel, text: str, language: str) -> None:
    assert model.identify(text).language == language
    assert identify_by_letters(text).language == language


@pytest.mark.parametrize("text", ["", "   ", "124", "🚨🚨", "?!…", "\u202e\u200b"])
def test_without_letters_the_language_is_undetermined(model: LanguageModel, text: str) -> None:
    assert model.identify(text) == Identified(UNDETERMINED, 0.0, None)
    assert identify_by_letters(text).language == UNDETERMINED


def test_a_script_that_we_have_no_name_for_is_undetermined(model: LanguageModel) -> None:
    found = model.identify("བཀྲ་ཤིས་བདེ་ལེགས")
    assert (found.language, found.ours) == (UNDETERMINED, False)


@pytest.mark.parametrize("text", ["ｈｅｌｐ　ｍｅ　ｐｌｅａｓｅ", "𝐡𝐞𝐥𝐩 𝐦𝐞 𝐩𝐥𝐞𝐚𝐬𝐞"])
def test_letters_in_costume_are_read_like_plain_ones(model: LanguageModel, text: str) -> None:
    assert model.identify(text).language == "en"
    assert identify_by_letters(text).language == "en"


def test_a_text_is_only_ever_in_a_language_of_its_script(model: LanguageModel) -> None:
    for text, script, classes in (
        ("کمپ کجاست where", ARABIC, {"ar", "fa", "ps", "ur", "ckb"}),
        ("where is the camp", LATIN, {"en", "fr", "ar-latn", "fa-latn", "ur-latn"}),
    ):
        probabilities = dict(zip(model.classes, model.probabilities(text, script)))
        assert sum(probabilities.values()) == pytest.approx(1.0, abs=1e-5)
        assert {name for name, value in probabilities.items() if value > 0} <= classes


@pytest.mark.parametrize(
    ("typed", "own"), [("من به دكتر نياز دارم", "من به دکتر نیاز دارم"), ("كيمپ كہاں ہے", "کیمپ کہاں ہے")]
)
def test_a_foreign_kaf_or_yeh_changes_no_answer(model: LanguageModel, typed: str, own: str) -> None:
    typed_as, own_as = model.identify(typed), model.identify(own)
    assert (typed_as.language, typed_as.probability) == (own_as.language, pytest.approx(own_as.probability))


def test_a_stored_model_answers_like_the_one_that_was_trained(model: LanguageModel) -> None:
    stored = LanguageModel.from_bytes(model.to_bytes())
    assert stored.classes == model.classes
    for sentence in (text for texts in SENTENCES.values() for text in texts):
        before, after = model.identify(sentence), stored.identify(sentence)
        assert (after.language, after.romanised, after.variety) == (before.language, before.romanised, before.variety)
        assert after.probability == pytest.approx(before.probability, abs=0.01)


def test_storing_twice_changes_nothing_more(model: LanguageModel) -> None:
    once = LanguageModel.from_bytes(model.to_bytes())
    twice = LanguageModel.from_bytes(once.to_bytes())
    text = "i need a doctor"
    assert np.array_equal(once.probabilities(text, LATIN), twice.probabilities(text, LATIN))


@pytest.mark.parametrize("data", [b"", b"not a model", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        LanguageModel.from_bytes(data)


@pytest.mark.parametrize(
    ("text", "language"),
    [("hello", "en"), ("زه چېرته لاړ شم", "ps"), ("مجھے ڈاکٹر", "ur"), ("پناهندگی", "fa"), ("مرحبا", "ar")],
)
def test_before_any_training_letters_that_belong_to_one_language_speak(text: str, language: str) -> None:
    found = identify_by_letters(text)
    assert found.language == language
    assert found.probability <= 0.5, "a guess from letters must never count as clear"


def test_case_and_spelling_of_a_text_do_not_change_its_features() -> None:
    for one, other in (("WHERE IS IT", "where is it"), ("سـلام", "سلام")):
        assert np.array_equal(features(one)[0], features(other)[0])
    assert len(features("")[0]) == 0


def test_ours_are_five() -> None:
    assert sorted(OURS) == ["ar", "en", "fa", "ps", "ur"]

"""What the gateway reads by itself, and where it finds its language model."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
import yaml

from bot.decide import Decision
from bot.understanding import MAX_CHARACTERS, Reader, for_the_parser, language_model_of
from text.danger import DangerLists
from text.language import train

DANGER = ("emergency_help",)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    content = {"topics": {"emergency_help": ["bleeding"]}}
    (tmp_path / "en.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    lists = DangerLists.load(tmp_path, ["en"], DANGER)
    return Reader(lists=lists, danger_topics=DANGER, language_model=None)


def test_a_danger_at_the_end_of_a_long_message_is_seen(reader: Reader) -> None:
    """A message of Telegram has up to 4096 characters; the model reads fewer of them."""
    text = "we walked for days " * 200 + " my brother is bleeding"
    assert MAX_CHARACTERS < len(text) <= 4096
    verdict = reader.verdict(reader.read(text), ())
    assert (verdict.danger_topic, verdict.decision) == ("emergency_help", Decision.ANSWER)


def test_only_letters_are_counted_and_only_of_what_is_read(reader: Reader) -> None:
    assert reader.read("").letters == 0
    assert reader.read("12 🚨 \u202e").letters == 0
    assert reader.read("سـلام 5").letters == 4
    assert reader.read("a" * 10_000).letters <= MAX_CHARACTERS
    assert len(reader.read("a" * 10_000).text) == MAX_CHARACTERS


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("hello", "hello"),
        ("/restart", "restart"),
        ("///restart", "restart"),
        (" / /restart", "restart"),
        ("\u200f/restart", "restart"),
        ("\u200e /restart", "restart"),
        ('/asylum_work{"a": 1}', 'asylum_work{"a": 1}'),
        ("a/b", "a/b"),
        ("\x00", ""),
        ("x\x00y", "x y"),
    ],
)
def test_no_text_is_a_command_to_rasa(text: str, parsed: str) -> None:
    assert for_the_parser(text) == parsed


# --- the language model within a trained model ------------------------------------------------------


def archive(folder: Path, name: str, data: bytes) -> Path:
    path = folder / "model.tar.gz"
    with tarfile.open(path, "w:gz") as written:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        written.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def language_model() -> bytes:
    return train(["where is the camp", "کمپ کجاست", "help me", "کمکم کنید"], ["en", "fa", "en", "fa"]).to_bytes()


def test_it_is_found_in_the_archive(tmp_path: Path, language_model: bytes) -> None:
    found = language_model_of(archive(tmp_path, "components/train_LanguageIdentifier0/language.npz", language_model))
    assert found is not None
    assert found.identify("help me").language == "en"


def test_before_any_training_there_is_none(tmp_path: Path) -> None:
    assert language_model_of(None) is None
    assert language_model_of(tmp_path / "nothing.tar.gz") is None


def test_an_archive_without_one_is_no_error(tmp_path: Path) -> None:
    assert language_model_of(archive(tmp_path, "metadata.json", b"{}")) is None


@pytest.mark.parametrize("keep", [0, 1, 30, 200, 600])
def test_a_model_that_was_cut_off_does_not_stop_the_gateway(tmp_path: Path, language_model: bytes, keep: int) -> None:
    """A full disk, a broken copy: dangers are still answered, from lists and letters."""
    path = archive(tmp_path, "components/language.npz", language_model)
    path.write_bytes(path.read_bytes()[:keep])
    assert language_model_of(path) is None


@pytest.mark.parametrize("place", [40, 100, 400])
def test_a_model_that_was_damaged_does_not_stop_the_gateway(tmp_path: Path, language_model: bytes, place: int) -> None:
    path = archive(tmp_path, "components/language.npz", language_model)
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    assert language_model_of(path) is None


def test_a_member_that_is_no_model_does_not_stop_the_gateway(tmp_path: Path) -> None:
    assert language_model_of(archive(tmp_path, "components/language.npz", b"not a model")) is None

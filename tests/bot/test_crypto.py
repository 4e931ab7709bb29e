"""What the gateway seals and hides."""

from __future__ import annotations

from typing import Any

import pytest

from bot.crypto import Vault, WrongKey
from bot.incoming import Incoming, Sent

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


@pytest.mark.parametrize("value", ["4077", "", None, 12, ["ا", {"b": None}], {"text": "کمک 🚨 \x00 \u202e"}])
def test_what_was_sealed_comes_back(vault: Vault, value: Any) -> None:
    assert vault.open(vault.seal(value)) == value


def test_another_process_with_the_same_key_can_open_it(vault: Vault) -> None:
    assert Vault(KEY).open(vault.seal("words")) == "words"


def test_an_incoming_message_comes_back_whole(vault: Vault) -> None:
    incoming = Incoming(Sent.COMMAND, text="لیپا", data="start", message_id=7, callback_id="c")
    assert Incoming.from_dict(vault.open(vault.seal(incoming.as_dict()))) == incoming


def test_half_a_character_from_a_broken_phone_is_sealed_too(vault: Vault) -> None:
    """A lone surrogate is valid in JSON and in no encoding; nothing later may stumble over it."""
    opened = vault.open(vault.seal({"text": "help \ud83d me"}))
    assert opened["text"].startswith("help ")
    assert opened["text"].endswith(" me")
    opened["text"].encode("utf-8")


def test_sealed_words_cannot_be_read_and_do_not_repeat(vault: Vault) -> None:
    one, two = vault.seal("I was beaten"), vault.seal("I was beaten")
    assert one != two
    assert b"beaten" not in one


def test_another_key_opens_nothing(vault: Vault) -> None:
    with pytest.raises(WrongKey):
        Vault(OTHER_KEY).open(vault.seal("words"))


@pytest.mark.parametrize("place", [0, 24, -1])
def test_a_changed_row_is_noticed(vault: Vault, place: int) -> None:
    sealed = bytearray(vault.seal("words"))
    sealed[place] ^= 1
    with pytest.raises(WrongKey):
        vault.open(bytes(sealed))


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 100])
def test_rubbish_is_a_wrong_key_and_not_a_crash(vault: Vault, data: bytes) -> None:
    with pytest.raises(WrongKey):
        vault.open(data)


def test_an_address_is_found_again_and_told_apart_by_channel(vault: Vault) -> None:
    assert vault.address_hash("telegram", "4077") == Vault(KEY).address_hash("telegram", "4077")
    different = {
        vault.address_hash("telegram", "4077"),
        vault.address_hash("web", "4077"),
        vault.address_hash("telegram", "4078"),
        Vault(OTHER_KEY).address_hash("telegram", "4077"),
        vault.safety_digest("telegram", "4077"),
    }
    assert len(different) == 5


def test_an_address_hash_cannot_be_made_without_the_key(vault: Vault) -> None:
    """A chat id is a short number: a plain hash of it is found by trying all of them."""
    import hashlib

    digest = vault.address_hash("telegram", "4077")
    assert len(digest) == 32
    assert b"4077" not in digest
    assert digest != hashlib.blake2b(b"telegram:4077", digest_size=32).digest()


def test_a_safety_digest_hides_person_and_topic_but_tells_both_apart(vault: Vault) -> None:
    digests = {
        vault.safety_digest(person, topic) for person in ("p1", "p2") for topic in ("mines_found", "mines_inside")
    }
    assert len(digests) == 4
    assert vault.safety_digest("p1", "mines_found") in digests

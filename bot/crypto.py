"""What the gateway encrypts and hashes with keys derived from the one secret key."""

from __future__ import annotations

import json
from typing import Any

import nacl.encoding
import nacl.exceptions
import nacl.hash
import nacl.secret


class WrongKey(Exception):
    """A row that this secret key cannot open."""


class Vault:
    """Seals rows at rest and hides addresses; each use has a key of its own."""

    def __init__(self, secret_key: bytes) -> None:
        self._box = nacl.secret.SecretBox(_derived(secret_key, b"queue"))
        self._address_key = _derived(secret_key, b"address")
        self._safety_key = _derived(secret_key, b"safety")

    def seal(self, value: Any) -> bytes:
        """JSON, encrypted and authenticated; half a character (a lone surrogate) becomes a question mark."""
        return bytes(self._box.encrypt(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")))

    def open(self, sealed: bytes) -> Any:
        """What was sealed; raises :class:`WrongKey` where the key is another one."""
        try:
            return json.loads(self._box.decrypt(sealed))
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise WrongKey from error

    def address_hash(self, channel: str, address: str) -> bytes:
        """The look-up key of an address, worthless without the secret key."""
        return _keyed(f"{channel}:{address}".encode(), self._address_key)

    def safety_digest(self, person_id: str, topic: str) -> bytes:
        """The look-up key of "this person got this safety text"."""
        return _keyed(f"{person_id}:{topic}".encode(), self._safety_key)


def _derived(secret_key: bytes, purpose: bytes) -> bytes:
    return _keyed(b"rahnuma gateway " + purpose, secret_key)


def _keyed(data: bytes, key: bytes) -> bytes:
    return bytes(nacl.hash.blake2b(data, digest_size=32, key=key, encoder=nacl.encoding.RawEncoder))

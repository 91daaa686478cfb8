"""The vault: personal data, encrypted per person; destroying a person's key erases him (R207).

A row holds the person's key wrapped by the master key, the sealed identity, and keyed indexes of the
document number and of the name, so that the same document or name is found again without being readable.
"""

import hmac
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_EIGHTEEN = 18


@dataclass(frozen=True, repr=False)
class Identity:
    """Who somebody is. It has no repr, so that no log or traceback can spell it."""

    name: str
    document: str
    number: str
    photo: bytes


@dataclass(frozen=True)
class Commitments:
    """Salted hashes that go on events: they prove an identity to whoever is shown the salts."""

    identity: str
    photo: str


@dataclass(frozen=True, repr=False)
class Locked:
    """One row of the vault."""

    person: str
    number_index: bytes
    wrapped_key: bytes
    sealed: bytes


class Vault:
    """Locks and opens rows; storing them is the caller's."""

    def __init__(self, master: bytes) -> None:
        self._wrap = AESGCM(_derive(master, b"wrap"))
        self._index = _derive(master, b"index")
        self._finders = _derive(master, b"finders")
        self._names = _derive(master, b"names")

    def number_index(self, document: str, number: str) -> bytes:
        """The same 32 bytes for the same document; without the master key, no number can be tried on it.

        A number of eighteen digits is one person's, whatever the card says (R029).
        """
        kind = "" if len(number) == _EIGHTEEN else document
        return hmac.digest(self._index, f"{kind}\x1f{number}".encode(), "sha256")

    def name_index(self, name: str) -> bytes:
        """The same 32 bytes for the same name; without the master key, no name can be tried on it."""
        return hmac.digest(self._names, name.encode(), "sha256")

    def lock(self, person: str, identity: Identity) -> tuple[Locked, Commitments]:
        """A new row with a new key and new salts, and the commitments for the log."""
        salts = os.urandom(32), os.urandom(32)
        content = orjson.dumps(
            {
                "name": identity.name,
                "document": identity.document,
                "number": identity.number,
                "photo": b64encode(identity.photo).decode(),
                "salts": [salt.hex() for salt in salts],
            }
        )
        index = self.number_index(identity.document, identity.number)
        locked = Locked(person, index, *self.seal(person, content))
        return locked, _commit(identity, salts)

    def open(self, row: Locked) -> tuple[Identity, Commitments]:
        """The identity in a row; cryptography.exceptions.InvalidTag if anybody tampered with it."""
        content: dict[str, Any] = orjson.loads(self.unseal(row.person, row.wrapped_key, row.sealed))
        salts = [bytes.fromhex(salt) for salt in content["salts"]]
        identity = Identity(
            content["name"], content["document"], content["number"], b64decode(content["photo"])
        )
        return identity, _commit(identity, (salts[0], salts[1]))

    def seal(self, owner: str, content: bytes) -> tuple[bytes, bytes]:
        """(wrapped key, sealed content), with a key of the owner's own."""
        key, nonce, wrap_nonce = AESGCM.generate_key(256), os.urandom(12), os.urandom(12)
        wrapped = wrap_nonce + self._wrap.encrypt(wrap_nonce, key, owner.encode())
        return wrapped, nonce + AESGCM(key).encrypt(nonce, content, owner.encode())

    def unseal(self, owner: str, wrapped: bytes, sealed: bytes) -> bytes:
        """What was sealed for this owner; InvalidTag for any other, or if anybody tampered with it."""
        key = self._wrap.decrypt(wrapped[:12], wrapped[12:], owner.encode())
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], owner.encode())

    def finder(self, kind: str, text: str) -> bytes:
        """The same 32 bytes for the same text of a kind (a login name, an address), and no way back."""
        return hmac.digest(self._finders, f"{kind}\x1f{text}".encode(), "sha256")


def _commit(identity: Identity, salts: tuple[bytes, bytes]) -> Commitments:
    plain = "\x1f".join((identity.document, identity.number, identity.name)).encode()
    return Commitments(sha256(salts[0] + plain).hexdigest(), sha256(salts[1] + identity.photo).hexdigest())


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"jianding vault " + purpose).derive(master)

"""签名人: whose key is whose. The key never leaves the examiner's device; here is its public half (R127)."""

from dataclasses import dataclass

from shared.contracts.scoring import SigningKeyRegistered
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError, NotEntitled


@dataclass(frozen=True, kw_only=True)
class RegisterSigningKey(Command):
    """登记签名密钥: `signer` is the examiner himself, `public_key` an Ed25519 key in base64url."""

    signer: str
    public_key: str


class NotYourKey(NotEntitled):
    """只能为本人登记签名密钥；请由考评员本人在自己的设备上办理。

    A signing key is registered for oneself; let the examiner do it on his own device.
    """

    rule = "R127"
    field = "signer"


class SigningKeyMissing(DomainError):
    """尚未登记签名密钥，无法核验签名；请先在本设备上登记密钥。

    No signing key is registered, so the signature cannot be checked; register this device's key first.
    """

    rule = "R127"
    field = "signature"


class SignatureMissing(DomainError):
    """您已登记签名密钥，成绩须带签名；请在登记密钥的设备上提交，或先登记本设备的密钥。

    The score is not signed, though a signing key is registered; submit it on that key's device, or register
    this one's key first.
    """

    rule = "R127"
    field = "signature"


class SignatureInvalid(DomainError):
    """签名与评分表、成绩或登记的密钥不符；请在登记密钥的设备上重新签名。

    The signature does not fit the sheet, the score, or the registered key; sign again on the device whose
    key is registered.
    """

    rule = "R127"
    field = "signature"


@dataclass(frozen=True)
class Signer:
    """Whose key, and which."""

    public_key: str = ""


signer: Aggregate[Signer] = Aggregate("signer", Signer())


def statement(sheet: str, score: int, sheet_digest: str) -> bytes:
    """What is signed: three lines below a name, so that no other signature can be taken for it."""
    return f"jianding sheet 1\n{sheet}\n{score}\n{sheet_digest}\n".encode()


@signer.decides(Role.EXAMINER)
def register(command: RegisterSigningKey, state: Signer) -> Facts:
    if command.by.id != command.signer:
        raise NotYourKey
    if state.public_key == command.public_key:
        return []
    return [SigningKeyRegistered(examiner=command.signer, public_key=command.public_key)]


@signer.evolves
def registered(event: SigningKeyRegistered, _state: Signer) -> Signer:
    return Signer(event.public_key)

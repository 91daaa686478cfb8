"""A sheet may be signed by the key that its examiner registered; it is checked before it counts."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.scoring import signatures
from services.scoring.domain.signer import (
    NotYourKey,
    RegisterSigningKey,
    SignatureInvalid,
    Signer,
    SigningKeyMissing,
    signer,
    statement,
)
from services.scoring.service import Scoring
from shared.bus.calls import Refused
from shared.contracts.scoring import SigningKeyRegistered
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.runtime.chassis import Accepted
from shared.testing.scenario import scenario

AT = datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
EXAMINER, OTHER = derived_id("test", "examiner"), derived_id("test", "other")
SHEET, DIGEST = "B-7H2K9QXW4M-theory", "ab" * 32
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def spelled(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


PUBLIC = spelled(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
SIGNATURE = spelled(KEY.sign(statement(SHEET, 71, DIGEST)))


def register(key: str = PUBLIC, by: str = EXAMINER) -> RegisterSigningKey:
    return RegisterSigningKey(signer=EXAMINER, public_key=key, by=Actor(by, Role.EXAMINER, "centre"), at=AT)


def test_an_examiner_registers_the_key_of_his_device():
    scenario(signer).when(register()).then(SigningKeyRegistered(examiner=EXAMINER, public_key=PUBLIC))


def test_the_same_key_again_is_nothing_new_and_another_takes_its_place():
    known = scenario(signer).given(SigningKeyRegistered(examiner=EXAMINER, public_key=PUBLIC))
    known.when(register()).then()
    known.when(register("A" * 43)).then(SigningKeyRegistered(examiner=EXAMINER, public_key="A" * 43))


def test_nobody_registers_a_key_for_somebody_else():
    scenario(signer).when(register(by=OTHER)).refused(NotYourKey)


def test_a_signature_over_sheet_score_and_digest_is_taken():
    signatures.check(PUBLIC, SIGNATURE, SHEET, 71, DIGEST)


@pytest.mark.parametrize(
    ("sheet", "score", "digest"),
    [("B-7H2K9QXW4N-theory", 71, DIGEST), (SHEET, 72, DIGEST), (SHEET, 71, "ac" * 32)],
)
def test_it_counts_for_nothing_else(sheet, score, digest):
    with pytest.raises(SignatureInvalid):
        signatures.check(PUBLIC, SIGNATURE, sheet, score, digest)


@pytest.mark.parametrize(
    ("key", "signature", "answer"),
    [
        ("", {}, {}),
        (PUBLIC, {"signature": SIGNATURE}, {"public_key": PUBLIC}),
        (PUBLIC, {}, "SignatureMissing"),
        (PUBLIC, {"signature": SIGNATURE[::-1]}, "SignatureInvalid"),
        ("", {"signature": SIGNATURE}, "SigningKeyMissing"),
    ],
)
def test_whoever_has_a_key_has_to_sign_with_it(key, signature, answer):
    service = Scoring()
    service.execute = SimpleNamespace(state=lambda _, id: Signer(key if id == EXAMINER else ""))
    fields = {"sheet": SHEET, "score": 71, "sheet_digest": DIGEST, **signature}
    accepted = Accepted(fields, decide=lambda *_: None, by=Actor(EXAMINER, Role.EXAMINER, "centre"))
    if isinstance(answer, dict):
        assert service._key(accepted) == answer
    else:
        with pytest.raises(Refused) as refused:
            service._key(accepted)
        assert refused.value.problem["code"] == answer


def test_another_key_and_no_key_are_told_apart():
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with pytest.raises(SignatureInvalid):
        signatures.check(spelled(other.public_bytes_raw()), SIGNATURE, SHEET, 71, DIGEST)
    with pytest.raises(SigningKeyMissing):
        signatures.check("", SIGNATURE, SHEET, 71, DIGEST)

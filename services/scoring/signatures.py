"""Signatures of examiners: Ed25519, checked with the key that is registered for whoever submits."""

from base64 import urlsafe_b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.scoring.domain.signer import SignatureInvalid, SignatureMissing, SigningKeyMissing, statement


def check(public_key: str, signature: str, sheet: str, score: int, sheet_digest: str) -> None:
    """Raises SigningKeyMissing, SignatureMissing or SignatureInvalid; texts are base64url without padding."""
    if not public_key:
        raise SigningKeyMissing
    if not signature:
        raise SignatureMissing
    try:
        key = Ed25519PublicKey.from_public_bytes(_bytes(public_key))
        key.verify(_bytes(signature), statement(sheet, score, sheet_digest))
    except (InvalidSignature, ValueError):
        raise SignatureInvalid from None


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

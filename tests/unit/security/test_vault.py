"""The vault: what is locked opens again for whoever holds the keys, whole or not at all."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from shared.security.vault import Identity, Vault

MASTER = bytes(range(32))
VAULT = Vault(MASTER)
WHO = Identity("王小明", "resident_id", "11010519491231002X", b"\x89PNG")
PERSON = "0190a6a2-0000-7000-8000-000000000001"

text = st.text(st.characters(exclude_categories=["Cs"]))
identities = st.builds(Identity, text, text, text, st.binary())


@given(identities)
def test_what_is_locked_opens_again(identity):
    row, commitments = VAULT.lock(PERSON, identity)
    assert VAULT.open(row) == (identity, commitments)


def test_another_vault_of_the_same_master_key_opens_it():
    row, commitments = VAULT.lock(PERSON, WHO)
    assert Vault(MASTER).open(row) == (WHO, commitments)


def test_nothing_opens_with_another_master_key():
    with pytest.raises(InvalidTag):
        Vault(bytes(32)).open(VAULT.lock(PERSON, WHO)[0])


@pytest.mark.parametrize("part", ["wrapped_key", "sealed"])
@pytest.mark.parametrize("place", [0, 12, -1])
def test_a_row_that_was_tampered_with_does_not_open(part, place):
    row, _ = VAULT.lock(PERSON, WHO)
    changed = bytearray(getattr(row, part))
    changed[place] ^= 1
    with pytest.raises(InvalidTag):
        VAULT.open(replace(row, **{part: bytes(changed)}))


@pytest.mark.parametrize("part", ["wrapped_key", "sealed"])
def test_one_persons_row_does_not_open_as_another(part):
    mine, _ = VAULT.lock(PERSON, WHO)
    other, _ = VAULT.lock("another", WHO)
    with pytest.raises(InvalidTag):
        VAULT.open(replace(mine, person="another"))
    with pytest.raises(InvalidTag):
        VAULT.open(replace(mine, **{part: getattr(other, part)}))


def test_nothing_in_a_row_can_be_read():
    row, _ = VAULT.lock(PERSON, WHO)
    stored = row.number_index + row.wrapped_key + row.sealed
    assert WHO.name.encode() not in stored
    assert WHO.number.encode() not in stored


def test_the_same_identity_never_looks_the_same_but_for_its_index():
    one, said = VAULT.lock(PERSON, WHO)
    two, said_again = VAULT.lock(PERSON, WHO)
    assert one.number_index == two.number_index == VAULT.number_index(WHO.document, WHO.number)
    assert (one.wrapped_key, one.sealed) != (two.wrapped_key, two.sealed)
    assert said != said_again


def test_an_index_needs_the_master_key_and_tells_documents_apart():
    index = VAULT.number_index("resident_id", "1")
    assert index != Vault(bytes(32)).number_index("resident_id", "1")
    assert index != VAULT.number_index("passport", "1")
    assert index != sha256(b"resident_id\x1f1").digest()


def test_commitments_are_salted_hashes():
    _, commitments = VAULT.lock(PERSON, WHO)
    plain = "\x1f".join((WHO.document, WHO.number, WHO.name)).encode()
    for said in (commitments.identity, commitments.photo):
        assert len(bytes.fromhex(said)) == 32
        assert said not in (sha256(plain).hexdigest(), sha256(WHO.photo).hexdigest())


def test_an_identity_and_a_row_do_not_spell_themselves():
    row, _ = VAULT.lock(PERSON, WHO)
    shown = f"{WHO!r} {WHO} {row!r} {row}"
    for secret in (WHO.name, WHO.number, repr(row.sealed), repr(row.wrapped_key)):
        assert secret not in shown

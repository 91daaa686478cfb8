"""Key files that only their owner reads, made once whoever is first; signatures that hold or do not."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security import heads
from shared.security.heads import Head
from shared.security.keys import KeyFileIsOpen, KeyLost, Signer, public_key, secret, verify

SOURCE = "/centre/registration"
HASH = bytes(range(32))
AT_ONCE = 8
PROGRAM = """
import sys
from pathlib import Path
from shared.security.keys import Signer
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(Signer.load(folder, "/centre/registration").public_key)
"""


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "secrets" / "vault.master"
    made = secret(path)
    assert len(made) == 32
    assert secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(secret(tmp_path / "other", 16)) == 16


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o777])
def test_a_secret_that_others_could_read_is_refused(tmp_path, mode):
    path = tmp_path / "vault.master"
    secret(path)
    path.chmod(mode)
    with pytest.raises(KeyFileIsOpen, match=r"^vault\.master$"):
        secret(path)


def test_a_secret_in_a_folder_that_cannot_be_written_is_read_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "vault.master"
    made = secret(path)
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: pytest.fail("nothing is to be written"))
    assert secret(path) == made


def test_processes_that_start_at_once_have_one_key(tmp_path, project):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, tmp_path],
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(AT_ONCE)
    ]
    assert all(process.stdout.readline() == "ready\n" for process in started)
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = {process.communicate()[0].strip() for process in started}
    assert said == {public_key(tmp_path, SOURCE)}
    assert files(tmp_path) == {"centre.registration.key": 0o600, "centre.registration.pub": 0o644}


def test_threads_that_start_at_once_have_one_secret(tmp_path):
    for attempt in range(20):
        gate, path = Barrier(AT_ONCE), tmp_path / str(attempt)

        def make(gate=gate, path=path):
            gate.wait()
            return secret(path)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = {future.result() for future in [pool.submit(make) for _ in range(AT_ONCE)]}
        assert made == {path.read_bytes()}
    assert len(files(tmp_path)) == 20


def files(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_public_half_that_an_operator_laid_down_is_not_replaced(tmp_path):
    (tmp_path / "centre.registration.pub").write_text("trusted\n")
    with pytest.raises(KeyLost):
        Signer.load(tmp_path, SOURCE)
    assert public_key(tmp_path, SOURCE) == "trusted"


def test_a_source_without_a_public_key_has_none(tmp_path):
    assert public_key(tmp_path, SOURCE) is None


def test_every_source_has_a_key_of_its_own(tmp_path):
    keys = {Signer.load(tmp_path, f"/{body}/scoring").public_key for body in ("centre", "station-32010001")}
    assert len(keys) == 2


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer.load(tmp_path_factory.mktemp("keys"), SOURCE)


def test_a_signer_does_not_show_its_key(signer):
    assert signer._key.private_bytes_raw().hex() not in repr(signer)


@given(position=st.integers(0, 2**53), head=st.binary(min_size=32, max_size=32))
def test_a_signature_holds_for_what_was_said(signer, position, head):
    assert verify(signer.public_key, SOURCE, position, head, signer.sign(position, head))


SIGNED = {"source": SOURCE, "position": 7, "head": HASH}


@pytest.mark.parametrize(
    "other",
    [
        {"source": "/centre/scoring"},
        {"source": f"{SOURCE}\n7"},
        {"position": 8},
        {"position": -7},
        {"head": bytes(32)},
        {"head": HASH + b"\n"},
        {"signature": b""},
        {"signature": bytes(64)},
        {"public_key": "00" * 32},
        {"public_key": "00"},
        {"public_key": "no hex"},
        {"public_key": ""},
    ],
    ids=str,
)
def test_a_signature_does_not_hold_for_anything_else(signer, other):
    said = {**SIGNED, "public_key": signer.public_key, "signature": signer.sign(7, HASH), **other}
    assert not verify(**said)


@given(st.integers(0, 511))
def test_a_signature_with_one_bit_changed_does_not_hold(signer, bit):
    signature = bytearray(signer.sign(7, HASH))
    signature[bit // 8] ^= 1 << bit % 8
    assert not verify(signer.public_key, SOURCE, 7, HASH, bytes(signature))


def test_a_head_is_signed_when_its_source_is_trusted_and_said_so(tmp_path):
    signature = Signer.load(tmp_path, SOURCE).sign(7, HASH)
    assert heads.check(tmp_path, SOURCE, 7, HASH, signature) == Head(SOURCE, 7, HASH, signed=True)
    assert not heads.check(tmp_path, SOURCE, 8, HASH, signature).signed
    assert not heads.check(tmp_path, SOURCE, 7, bytes(32), signature).signed
    assert not heads.check(tmp_path, "/centre/scoring", 7, HASH, signature).signed


def test_an_empty_log_has_nothing_to_sign(tmp_path):
    assert heads.check(tmp_path, SOURCE, 0, bytes(32), b"").signed


def test_a_lost_key_is_not_replaced_by_one_that_does_not_fit_what_was_signed(tmp_path):
    Signer.load(tmp_path, SOURCE)
    lost = tmp_path / "centre.registration.key"
    lost.unlink()
    with pytest.raises(KeyLost, match=lost.name):
        Signer.load(tmp_path, SOURCE)
    assert not lost.exists()


def test_a_key_that_is_not_the_one_of_its_public_key_signs_nothing(tmp_path):
    Signer.load(tmp_path / "here", SOURCE)
    Signer.load(tmp_path / "elsewhere", SOURCE)
    (tmp_path / "elsewhere" / "centre.registration.key").replace(
        tmp_path / "here" / "centre.registration.key"
    )
    with pytest.raises(KeyLost, match=r"centre\.registration\.pub"):
        Signer.load(tmp_path / "here", SOURCE)

"""The signer and witnesses as programs: over HTTP, in the embedded node, started, stopped, side by side."""

import http.client
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from services.audit import keyring, programs, signed
from services.audit.cosigners import Far
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.cosigning import Request
from services.audit.domain.notes import LOG, Note, PrivateKey, Verifier
from services.audit.domain.policy import Log, Witness, trusting
from services.audit.domain.tree import Tree, leaf_hash
from shared.runtime.settings import Settings
from shared.testing.command import CommandLine
from tests.integration.audit import witness as audits
from tests.integration.audit.signatory import Signatory, altered

ORIGIN = "a.example/log"
OURS = PrivateKey.seeded(ORIGIN, LOG, bytes(32))


@contextmanager
def witnessing(folder: Path, *words: str) -> Iterator[tuple[str, Verifier]]:
    """(URL, public key) of a witness in a process of its own."""
    process = CommandLine.of(var=folder).start("witness", "--listen", "127.0.0.1:0", *words)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        assert said[:2] == ["witness", "on"], process.communicate()
        yield said[2], Verifier.parse(said[3])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def note(leaves: list[bytes]) -> Note:
    text = Checkpoint(ORIGIN, len(leaves), Tree().append(map(leaf_hash, leaves)).root).text
    return Note(text, (OURS.sign(text),))


def test_a_witness_of_any_body_cosigns_over_http_and_remembers_over_a_restart(tmp_path: Path) -> None:
    words = ("--name", "witness.station.example/1", "--log", str(OURS.verifier))
    with witnessing(tmp_path, *words) as (url, key):
        assert key.name == "witness.station.example/1"
        status, line = Far(url).ask(Request(0, (), note([b"a"])).body)
        assert status == 200
        assert key in Note.parse(f"{note([b'a']).text}\n".encode() + line).signed_by([key])
    with witnessing(tmp_path, *words) as (url, again):
        assert again == key
        assert Far(url).ask(Request(0, (), note([b"b"])).body) == (409, b"1\n")
        assert Far(url).ask(Request(1, (), note([b"b"])).body)[0] == 422
        place = url.removeprefix("http://")
        client = http.client.HTTPConnection(place, timeout=10)
        client.request("GET", f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
        last = Note.parse(client.getresponse().read())
        assert last.signed_by([key, OURS.verifier]).keys() == {key, OURS.verifier}
        client.close()


def test_a_witness_answers_others_while_somebody_sends_nothing_or_nonsense(tmp_path: Path) -> None:
    with witnessing(tmp_path, "--log", str(OURS.verifier)) as (url, _):
        host, _, port = url.removeprefix("http://").rpartition(":")
        sockets = [socket.create_connection((host, int(port)), 10) for _ in range(20)]
        try:
            for number, each in enumerate(sockets):
                if number % 2:
                    each.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1000\r\n\r\nold")
                else:
                    each.sendall(b"\x00\xff\r\n\r\n")
            assert Far(url).ask(Request(0, (), note([b"a"])).body)[0] == 200
            assert Far(url).ask(b"x" * 300_000)[0] == 413
        finally:
            for each in sockets:
                each.close()


@pytest.mark.parametrize(
    "words",
    [
        ("--log", "nonsense"),
        ("--log", "a.example/log+00000000+AAAA"),
        ("--name", "two words", "--log", str(OURS.verifier)),
        ("--listen", "nowhere", "--log", str(OURS.verifier)),
        ("--listen", "127.0.0.1:99999", "--log", str(OURS.verifier)),
        (),
    ],
)
def test_a_witness_that_cannot_start_says_why_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = CommandLine.of(var=tmp_path)("witness", *words)
    assert done.code == 1
    assert len(done.errors.splitlines()) == 1
    assert done.errors.startswith("jianding: ")


@pytest.fixture
def three(witness: audits.Witness, tmp_path: Path) -> Iterator[tuple[Signatory, list[Verifier]]]:
    """A log whose policy has three witnesses: its own, and two of other bodies."""
    signatory = Signatory(witness, tmp_path / "var")
    (log,) = keyring.policy(signatory.settings).keys(signatory.settings.origin)
    words = [("--name", f"w.example/{number}", "--log", str(log)) for number in (1, 2)]
    with witnessing(tmp_path / "1", *words[0]) as one, witnessing(tmp_path / "2", *words[1]) as two:
        others = [Witness(key.name, key, url) for url, key in (one, two)]
        own = keyring.policy(signatory.settings).witnesses
        signatory.settings.policy_file.write_text(trusting([Log(log)], [*own, *others]).text)
        yield signatory, [each.key for each in others]


def test_a_checkpoint_is_published_when_the_quorum_has_cosigned(
    three: tuple[Signatory, list[Verifier]],
) -> None:
    signatory, others = three
    assert signatory.sign() is True
    judged = keyring.policy(signatory.settings).judge(signatory.published)
    assert judged.keys() == {"jianding.example/centre/witness", *(key.name for key in others)}
    audits.tell(signatory.audit, "Tao")
    signatory.audit.hear()
    assert signatory.sign() is True
    assert signatory.checkpoint.size == 24


def test_a_log_that_shows_another_past_is_refused_by_the_witnesses_and_told(
    three: tuple[Signatory, list[Verifier]], tmp_path: Path
) -> None:
    signatory, _ = three
    signatory.sign()
    # whoever has the log's key, its database and its own witness forgets everything and begins anew
    signatory.rewrite(5, altered(signatory.leaves()[5]))
    for statement in ("DELETE FROM cosignatures", "DELETE FROM signed_checkpoints"):
        signatory.audit.admin.execute(statement)
    for folder in ("signer", "witness"):
        for path in (signatory.settings.var / folder).iterdir():
            path.unlink()
    signatory.restart()
    assert signatory.sign() is False
    found = signatory.findings("refused-by-witness")
    assert [index for index, _ in found] == [18, 18]
    audits.tell(signatory.audit, "Tao")
    signatory.audit.hear()
    assert signatory.sign_later() is False
    with pytest.raises(AssertionError):
        _ = signatory.published


def test_a_rolled_back_log_is_refused_by_witnesses_that_have_seen_more(
    three: tuple[Signatory, list[Verifier]],
) -> None:
    signatory, _ = three
    signatory.sign()
    signatory.audit.forget(12)
    for statement in ("DELETE FROM cosignatures", "DELETE FROM signed_checkpoints"):
        signatory.audit.admin.execute(statement)
    for folder in ("signer", "witness"):
        for path in (signatory.settings.var / folder).iterdir():
            path.unlink()
    signatory.restart()
    assert signatory.sign() is False
    assert signatory.findings("refused-by-witness")[0] == (18, "it has cosigned a longer log than this one")


@pytest.fixture
def alone(witness: audits.Witness, tmp_path: Path) -> tuple[Signatory, Settings]:
    """A log whose policy asks for no witness, and the settings of a signer that is a program of its own."""
    signatory = Signatory(witness, tmp_path / "var")
    current = signatory.settings
    (key,) = keyring.log_keys(current)
    current.policy_file.write_text(trusting([Log(key.verifier)], []).text)
    password = current.secrets / "audit_signer.password"
    password.write_bytes((witness._cluster.settings.secrets / "audit_signer.password").read_bytes())
    password.chmod(0o600)
    info = witness.admin.info
    return signatory, replace(current, database_url=f"postgresql://{info.host}:{info.port}/postgres")


def test_the_signer_runs_as_a_program_of_its_own_and_a_second_one_stands_by(
    alone: tuple[Signatory, Settings],
) -> None:
    signatory, current = alone
    line = CommandLine.of(var=current.var, database_url=current.database_url)
    first, second = line.start("signer"), line.start("signer")
    try:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline().startswith("signer of ")
        until(lambda: signatory.newest is not None)
        assert not programs.sign_now(current, current.database_url)
    finally:
        for process in (first, second):
            process.send_signal(signal.SIGTERM)
        said = [process.communicate(timeout=20) for process in (first, second)]
    assert [(first.returncode, second.returncode), [errors for _, errors in said]] == [(0, 0), ["", ""]]
    assert signatory.checkpoint.size == 18


def test_a_policy_that_is_being_edited_stops_the_signing_only_until_it_is_whole(
    alone: tuple[Signatory, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    signatory, current = alone
    policy, stopping = current.policy_file.read_text(), []
    current.policy_file.write_text("lo")
    signing = Thread(target=programs.sign, args=(current, current.database_url, lambda: bool(stopping)))
    signing.start()
    try:
        until(lambda: "is not signed: PolicyInvalid" in caplog.text)
        current.policy_file.write_text(policy)
        until(lambda: signed.published(signatory.connection, current.origin) is not None)
    finally:
        stopping.append(True)
        signing.join()
    assert signatory.checkpoint.size == 18


def until(done: Callable[[], bool]) -> None:
    for _ in range(200):
        if done():
            return
        time.sleep(0.1)
    pytest.fail("it did not come to that")


def test_a_signer_without_a_database_says_that_up_signs(tmp_path: Path) -> None:
    done = CommandLine.of(var=tmp_path)("signer")
    assert done.code == 1
    assert "jianding up" in done.errors

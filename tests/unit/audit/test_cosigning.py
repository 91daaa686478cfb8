"""A witness over HTTP, status by status as C2SP tlog-witness has them, and with two who ask at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.cosigners import Cosigners, Far
from services.audit.domain import policy
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.cosigning import NoRequest, Request, Uncosigned
from services.audit.domain.notes import LOG, WITNESS, Note, PrivateKey, Signature
from services.audit.domain.tree import EMPTY, consistency, leaf_hash, root_of
from services.audit.witness import AlreadyWitnessing, Witness, WitnessUnsure
from services.audit.witnessing import LARGEST, Application

LEAVES = [leaf_hash(b"%d" % n) for n in range(40)]
OTHERS = [leaf_hash(b"other %d" % n) for n in range(40)]
ORIGIN = "a.example/log"
OURS = PrivateKey.seeded(ORIGIN, LOG, bytes(32))
NEXT = PrivateKey.seeded(ORIGIN, LOG, b"\xaa" * 32)
THEIRS = PrivateKey.seeded("w.example/1", WITNESS, b"\x01" * 32)


@dataclass
class Memory:
    """The tiles of a small log."""

    leaves: list[bytes]

    def tile(self, level: int, index: int, width: int) -> bytes:
        assert (level, index) == (0, 0)
        return b"".join(self.leaves[:width])


def note(size: int, leaves: list[bytes] = LEAVES, key: PrivateKey = OURS, origin: str = ORIGIN) -> Note:
    text = Checkpoint(origin, size, root_of(size, Memory(leaves))).text
    return Note(text, (key.sign(text),))


def request(old: int, size: int, leaves: list[bytes] = LEAVES, **more: Any) -> bytes:
    proof = consistency(old, size, Memory(leaves))
    return Request(old, tuple(proof), note(size, leaves, **more)).body


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(THEIRS, lambda: {ORIGIN: [OURS.verifier]}, tmp_path / "witness", lambda: 1679315147)


class Http:
    """What the application answers."""

    def __init__(self, witness: Witness) -> None:
        self.application = Application(witness)

    def __call__(
        self, body: bytes = b"", path: str = "/add-checkpoint", method: str = "POST", **more: Any
    ) -> tuple[int, str, str]:
        """(status, content type, body)."""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **more,
        }
        answered: list[Any] = []
        text = b"".join(self.application(environ, lambda *words: answered.extend(words))).decode()
        return int(answered[0].split()[0]), dict(answered[1])["Content-Type"], text


@pytest.fixture
def http_(witness: Witness) -> Http:
    return Http(witness)


def test_what_continues_is_cosigned(http_: Http) -> None:
    for old, size in ((0, 3), (3, 3), (3, 17), (17, 18)):
        status, _, line = http_(request(old, size))
        assert status == 200
        signature = Signature.parse(line.removesuffix("\n"))
        assert THEIRS.verifier.verify(note(size).text, signature) == 1679315147


def test_a_log_that_is_not_known_is_404(http_: Http) -> None:
    other = PrivateKey.seeded("b.example/log", LOG, bytes(32))
    assert http_(request(0, 3, key=other, origin="b.example/log"))[0] == 404


@pytest.mark.parametrize("key", [NEXT, PrivateKey.seeded("b.example/log", LOG, bytes(32))])
def test_no_signature_of_a_trusted_key_is_403(http_: Http, key: PrivateKey) -> None:
    assert http_(request(0, 3, key=key))[0] == 403


def test_a_signature_that_is_not_by_the_key_it_names_is_403(http_: Http) -> None:
    forged = Signature(OURS.name, OURS.verifier.id, bytes(64))
    for signatures in ((forged,), (OURS.sign(note(3).text), forged)):
        assert http_(Request(0, (), Note(note(3).text, signatures)).body)[0] == 403


def test_an_old_size_beyond_the_checkpoint_is_400(http_: Http) -> None:
    assert http_(Request(4, (), note(3)).body)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + str(note(3)).encode(),
        b"old  0\n\n" + str(note(3)).encode(),
        b"new 0\n\n" + str(note(3)).encode(),
        b"old 0\nAAAA\n\n" + str(note(3)).encode(),
        b"old 0\n\nnothing\n\n" + OURS.sign("nothing\n").line.encode(),
        b"old 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n" + str(note(3)).encode(),
        str(note(3)).encode(),
        b"\xff" * 100,
    ],
)
def test_what_is_no_request_is_400(http_: Http, body: bytes) -> None:
    assert http_(body)[0] == 400


def test_another_old_size_than_that_of_the_last_is_409_with_that_size(http_: Http) -> None:
    http_(request(0, 17))
    for old in (0, 3, 18):
        assert http_(request(old, 20)) == (409, "text/x.tlog.size", "17\n")


def test_at_first_the_size_is_zero(http_: Http) -> None:
    assert http_(request(3, 17)) == (409, "text/x.tlog.size", "0\n")


def test_a_split_view_is_422(http_: Http) -> None:
    http_(request(0, 17))
    assert http_(request(17, 17, OTHERS))[0] == 422
    assert http_(request(17, 20, OTHERS))[0] == 422
    assert http_(request(17, 20))[0] == 200


def test_a_log_that_was_rewritten_before_its_end_is_422(http_: Http) -> None:
    http_(request(0, 17))
    rewritten = [*LEAVES[:5], OTHERS[5], *LEAVES[6:]]
    assert http_(request(17, 20, rewritten))[0] == 422


def test_a_proof_where_none_belongs_is_422(http_: Http) -> None:
    assert http_(Request(0, (EMPTY,), note(3)).body)[0] == 422
    http_(request(0, 3))
    assert http_(Request(3, (EMPTY,), note(3)).body)[0] == 422
    assert http_(Request(3, (), note(5)).body)[0] == 422


def test_an_empty_log_has_the_root_of_nothing(http_: Http) -> None:
    text = Checkpoint(ORIGIN, 0, bytes(32)).text
    assert http_(Request(0, (), Note(text, (OURS.sign(text),))).body)[0] == 422
    text = Checkpoint(ORIGIN, 0, EMPTY).text
    assert http_(Request(0, (), Note(text, (OURS.sign(text),))).body)[0] == 200
    assert http_(request(0, 3))[0] == 200


def test_the_last_checkpoint_can_be_fetched_by_the_hash_of_its_origin(http_: Http) -> None:
    path = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert http_(path=path, method="GET")[0] == 404
    stranger = NEXT.sign(note(3).text)
    http_(Request(0, (), note(3).with_signatures([stranger])).body)
    status, kind, text = http_(path=path, method="GET")
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    keys = [OURS.verifier, NEXT.verifier, THEIRS.verifier]
    assert Note.parse(text).signed_by(keys).keys() == {OURS.verifier, THEIRS.verifier}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"method": "GET"}, 405),
        ({"path": "/"}, 404),
        ({"path": "/sign-subtree"}, 404),
        ({"path": "/" + "0" * 64 + "/checkpoint", "method": "GET"}, 404),
        ({"path": "/" + "0" * 64 + "/checkpoint"}, 405),
        ({"CONTENT_LENGTH": ""}, 411),
        ({"CONTENT_LENGTH": "-1"}, 411),
        ({"CONTENT_LENGTH": "٣"}, 411),
        ({"CONTENT_LENGTH": str(LARGEST + 1)}, 413),
        ({"CONTENT_LENGTH": "9" * 40}, 413),
        ({"CONTENT_LENGTH": str(LARGEST)}, 408),
    ],
)
def test_everything_else_is_refused_by_its_name(http_: Http, more: dict[str, Any], status: int) -> None:
    assert http_(request(0, 3), **more)[0] == status


@given(st.binary(max_size=300))
def test_no_bytes_break_a_witness(body: bytes) -> None:
    with pytest.raises(NoRequest):
        Request.parse(body)


def test_a_request_is_read_as_it_is_spelled() -> None:
    found = Request.parse(request(3, 17))
    assert found.body == request(3, 17)
    assert (found.old, found.note) == (3, note(17))


# -- what it remembers


def test_a_witness_that_starts_again_knows_what_it_has_cosigned(witness: Witness, tmp_path: Path) -> None:
    witness.cosign(request(0, 17))
    again = Witness(THEIRS, lambda: {ORIGIN: [OURS.verifier]}, tmp_path / "witness")
    with pytest.raises(Uncosigned):
        again.cosign(request(0, 3))
    again.cosign(request(17, 20))


def test_a_witness_whose_file_is_damaged_cosigns_nothing(witness: Witness, tmp_path: Path) -> None:
    witness.cosign(request(0, 17))
    (file,) = (tmp_path / "witness").glob("?" * 64)
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(WitnessUnsure):
        witness.cosign(request(0, 3))
    assert Http(witness)(request(0, 3))[0] == 500


def test_a_witness_goes_on_from_nothing_but_what_it_has_signed_itself(
    witness: Witness, tmp_path: Path
) -> None:
    witness.cosign(request(0, 17))
    (file,) = (tmp_path / "witness").glob("?" * 64)
    kept = file.read_bytes()
    for other in (
        kept.replace(b"\n17\n", b"\n16\n"),
        kept[: kept.rindex(b"\n", 0, -1) + 1],
        str(note(3)).encode(),
    ):
        file.write_bytes(other)
        with pytest.raises(WitnessUnsure):
            witness.cosign(request(17, 20))
    file.write_bytes(kept)
    witness.cosign(request(17, 20))


def test_what_it_keeps_is_its_owners_alone(witness: Witness, tmp_path: Path) -> None:
    witness.cosign(request(0, 17))
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "witness").glob("?" * 64)} == {0}
    assert (tmp_path / "witness").stat().st_mode & 0o077 == 0


def test_a_second_process_is_not_the_same_witness(witness: Witness, tmp_path: Path) -> None:
    again = Witness(THEIRS, dict, tmp_path / "witness")
    with witness.alone(), pytest.raises(AlreadyWitnessing), again.alone():
        pass
    with again.alone():
        pass


def test_of_two_views_that_arrive_at_once_one_is_cosigned(witness: Witness) -> None:
    def ask(body: bytes) -> int:
        try:
            witness.cosign(body)
        except Uncosigned as refused:
            return refused.status
        return 200

    with ThreadPoolExecutor(2) as pool:
        for leaves in (LEAVES, OTHERS) * 10:
            (witness._folder / sha256(ORIGIN.encode()).hexdigest()).unlink(missing_ok=True)
            bodies = [request(0, 17, leaves), request(0, 17, OTHERS if leaves is LEAVES else LEAVES)]
            assert sorted(pool.map(ask, bodies)) == [200, 409]


def test_a_slow_smaller_request_never_rolls_back_a_larger_one(witness: Witness) -> None:
    witness.cosign(request(0, 1))

    def ask(size: int) -> bool:
        try:
            witness.cosign(request(1, size))
        except Uncosigned:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        cosigned = [
            size for size, done in zip(range(2, 40), pool.map(ask, range(2, 40)), strict=True) if done
        ]
    last = witness.last(ORIGIN)
    assert last is not None
    assert len(cosigned) == 1
    assert Checkpoint.parse(last.text).size == cosigned[0]


# -- the log's side


class Answering:
    """A witness that answers what it is told to."""

    def __init__(self, *answers: tuple[int, bytes] | OSError) -> None:
        self.answers, self.asked = list(answers), 0

    def ask(self, body: bytes) -> tuple[int, bytes]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`asked(way)` -> Cosigners who have one witness, at the end of that way, and a clock of their own."""

    def make(way: Any) -> tuple[Cosigners, list[float]]:
        now = [0.0]
        monkeypatch.setattr("services.audit.cosigners.Far", lambda url: way)
        one = policy.Witness("w", THEIRS.verifier, "http://w.example/")
        return Cosigners([one], None, lambda: now[0]), now

    return make


def line(size: int, time: int = 5, key: PrivateKey = THEIRS) -> bytes:
    return key.sign(note(size).text, time).line.encode()


def test_the_log_starts_from_where_the_witness_says_to_be(witness: Witness, asked: Any) -> None:
    from services.audit.cosigners import Near

    witness.cosign(request(0, 3))
    cosigners, _ = asked(Near(witness))
    signatures, refusals = cosigners.ask(note(17), Memory(LEAVES))
    assert [time for _, time in signatures] == [1679315147]
    assert refusals == []


def test_a_witness_that_has_cosigned_is_left_in_peace_until_that_grows_old(asked: Any) -> None:
    way = Answering((200, line(3)))
    cosigners, now = asked(way)
    for seconds in (0, 10, 49, 51, 60, 102):
        now[0] = seconds
        cosigners.ask(note(3), Memory(LEAVES))
    assert way.asked == 3


@pytest.mark.parametrize("answer", [(422, b"no"), (403, b"who?"), (409, b"18\n")])
def test_a_refusal_is_told(asked: Any, answer: tuple[int, bytes]) -> None:
    cosigners, _ = asked(Answering(answer))
    signatures, refusals = cosigners.ask(note(17), Memory(LEAVES))
    assert signatures == []
    assert [(each.witness, each.status) for each in refusals] == [("w", answer[0])]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"\xff"),
        (200, line(3)),
        (200, line(17, time=0)),
        (200, line(17, key=PrivateKey.seeded("w.example/1", WITNESS, b"\x02" * 32))),
        (409, b"x"),
        (409, b"3\n"),
        (500, b"oh"),
        (302, b""),
        OSError("gone"),
    ],
)
def test_whatever_else_comes_is_neither_signature_nor_refusal(asked: Any, answer: Any) -> None:
    way = Answering(answer)
    cosigners, now = asked(way)
    assert cosigners.ask(note(17), Memory(LEAVES)) == ([], [])
    count = way.asked
    assert cosigners.ask(note(17), Memory(LEAVES)) == ([], [])
    assert way.asked == count  # it pauses
    now[0] = 100
    cosigners.ask(note(17), Memory(LEAVES))
    assert way.asked > count


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "w.example", "gopher://w.example/"])
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(OSError, match="neither http nor https"):
        Far(url).ask(b"")

"""Verification: whatever an administrator changes in the log, it is found."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from services.audit import keyring, promised, verification
from services.audit.domain import leaf
from services.audit.domain.notes import WITNESS, PrivateKey
from services.audit.domain.policy import Witness as Named
from services.audit.domain.policy import trusting
from services.audit.domain.tree import Tree, leaf_hash
from services.audit.log import recorder
from services.audit.readers import ReaderDied
from services.audit.verification import Verdict, reached, verify, verify_at_once
from shared.contracts.audit import FindingRaised
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.security import heads
from shared.security.keys import Signer
from shared.store import inbox
from shared.wire.canonical import canonical
from shared.wire.envelope import digest, read, seal
from tests.integration.audit.signatory import Signatory, altered
from tests.integration.audit.test_tree import merkle_tree_hash
from tests.integration.audit.witness import Witness, tell
from tests.integration.store.source import Source

# entries 0-5 are registration's, 6-8 scheduling's, 9-14 scoring's, 15-17 certification's
SCORE = 9
LAST_OF_SCORING = 14
UNLINKED = "its links do not count on from the entries before"
AT = "2026-04-16T01:30:00.000000Z"


def _change(witness: Witness, index: int, old: bytes, new: bytes) -> None:
    changed = witness.leaves()[index].replace(old, new)
    assert changed != witness.leaves()[index]
    _put(witness, index, changed)


def _put(witness: Witness, index: int, bytes_: bytes) -> None:
    witness.admin.execute("UPDATE entries SET leaf = %s WHERE index = %s", (bytes_, index))


def _reseal(witness: Witness, index: int, sealed: bytes) -> None:
    """Another event with the note that was there."""
    _put(witness, index, sealed + b"\n" + witness.leaves()[index].partition(b"\n")[2])


def _rewrite_tree(witness: Witness) -> None:
    """A tree that follows from whatever the entries say now."""
    tree = Tree().append(map(leaf_hash, witness.leaves()))
    witness.admin.execute("DELETE FROM tree_heads")
    witness.admin.execute(
        "INSERT INTO tree_heads VALUES (%s, %s, %s)", (tree.size, tree.root, b"".join(tree.peaks))
    )


def _of(problems: list[tuple[int | None, str]], index: int) -> list[str]:
    return [what for at, what in problems if at == index]


def test_an_untouched_log_has_no_problem(witness: Witness) -> None:
    verdict = witness.verdict()
    assert verdict == Verdict(
        size=18,
        root=merkle_tree_hash(witness.leaves()).hex(),
        sources={
            "/centre/certification": 3,
            "/centre/registration": 6,
            "/centre/scheduling": 3,
            "/centre/scoring": 6,
        },
    )
    assert verdict.verified


def test_a_log_of_several_pages_has_no_problem_and_progress_is_told(witness: Witness) -> None:
    for number in range(350):
        tell(witness, f"candidate {number}")
    witness.hear(at_a_time=500)
    told: list[int] = []
    assert verify(witness.connection, witness.heads(), told.append).verified
    assert told == [2048, 2118]


def test_what_is_appended_meanwhile_is_no_problem(witness: Witness) -> None:
    other = witness.connect()

    def meanwhile(count: int) -> None:
        if len(witness.source("scheduling").bodies) == 3:
            tell(witness, "Qing")
            witness.hear(connection=other)

    verdict = verify(witness.connection, witness.heads(), meanwhile, reached(witness.connection))
    assert (verdict.problems, verdict.size) == ([], 18)
    assert witness.verdict().size == 24


def test_a_changed_entry_is_found_at_its_place(witness: Witness) -> None:
    _change(witness, SCORE, b'"score":81', b'"score":99')
    problems = witness.problems()
    broken = f"/centre/scoring: position 2 does not contain the hash of entry {SCORE}"
    assert problems[0] == (SCORE, broken)
    assert "the tree head does not follow from the entries" in _of(problems, SCORE + 1)


@pytest.mark.parametrize("index", [SCORE + 1, LAST_OF_SCORING])
def test_an_event_that_denies_the_one_before_it_is_found_at_its_own_place(
    witness: Witness, index: int
) -> None:
    previous = read(witness.sealed()[index]).previous.hex().encode()
    _change(witness, index, previous, b"0" * 64)
    assert witness.verdict().first == index


def test_a_changed_entry_is_found_although_the_tree_was_made_anew(witness: Witness) -> None:
    _change(witness, SCORE, b'"score":81', b'"score":99')
    _rewrite_tree(witness)
    assert witness.problems() == [
        (SCORE, f"/centre/scoring: position 2 does not contain the hash of entry {SCORE}")
    ]


def test_a_source_rewritten_from_an_event_on_with_a_tree_to_match_is_found_by_its_signed_head(
    witness: Witness,
) -> None:
    _change(witness, SCORE, b'"score":81', b'"score":99')
    head = digest(witness.sealed()[SCORE])
    for index in range(SCORE + 1, LAST_OF_SCORING + 1):
        attributes = dict(read(witness.sealed()[index]).attributes)
        forged = seal(canonical(attributes), attributes["position"], head)
        _reseal(witness, index, forged)
        head = digest(forged)
    _rewrite_tree(witness)
    assert witness.problems() == [(LAST_OF_SCORING, "/centre/scoring: its head at 6 is another event")]
    assert witness.problems([]) == [], "nothing in the database itself can tell"


@pytest.mark.parametrize("bytes_", [b"", b"\x00", b"{}", b'{"specversion":"1.0"}', b"[1]"])
def test_an_entry_that_is_no_event_any_more_is_found(witness: Witness, bytes_: bytes) -> None:
    _put(witness, SCORE, bytes_)
    problems = witness.problems()
    assert _of(problems, SCORE)
    assert "/centre/scoring: position 2 follows 0" in _of(problems, SCORE + 1)


def test_an_entry_that_lost_a_part_of_its_envelope_is_found(witness: Witness) -> None:
    for name in ("refs", "actor", "id", "subject", "previoushash"):
        attributes = dict(read(witness.source("scoring").bodies[0]).attributes)
        del attributes[name]
        _reseal(witness, SCORE, canonical(attributes))
        assert _of(witness.problems(), SCORE)


def test_a_deleted_entry_is_found(witness: Witness) -> None:
    witness.admin.execute("DELETE FROM subjects WHERE index = %s", (SCORE,))
    witness.admin.execute("DELETE FROM entries WHERE index = %s", (SCORE,))
    problems = witness.problems()
    assert problems[0] == (SCORE, f"entry {SCORE} is missing")
    assert "/centre/scoring: position 2 follows 0" in _of(problems, SCORE + 1)


def test_a_deleted_entry_is_found_although_the_others_moved_up_and_the_tree_was_made_anew(
    witness: Witness,
) -> None:
    witness.admin.execute("ALTER TABLE subjects DROP CONSTRAINT subjects_check")
    for table in ("subjects", "entries"):
        witness.admin.execute(f"DELETE FROM {table} WHERE index = {SCORE}")
        for index in range(SCORE + 1, 18):
            witness.admin.execute(f"UPDATE {table} SET index = index - 1 WHERE index = {index}")
    _rewrite_tree(witness)
    others = [problem for problem in witness.problems() if problem[1] != UNLINKED]
    assert others == [(SCORE, "/centre/scoring: position 2 follows 0")]
    assert UNLINKED in _of(witness.problems(), SCORE)


def test_an_inserted_entry_is_found(witness: Witness) -> None:
    forged = seal(canonical(dict(witness.source("scoring").events()[-1].attributes)), 7, bytes(32))
    witness.admin.execute(
        "INSERT INTO entries (index, source, position, event_id, type, actor, role, received_at, leaf)"
        " SELECT 18, source, 7, gen_random_uuid(), type, actor, role, received_at, %s FROM entries"
        " WHERE index = %s",
        (leaf.encode(forged, [], AT), LAST_OF_SCORING),
    )
    problems = _of(witness.problems(), 18)
    assert f"/centre/scoring: position 7 does not contain the hash of entry {LAST_OF_SCORING}" in problems
    assert "from this entry on no tree head speaks of them" in problems
    assert "/centre/scoring: its head 6 is behind the 7 it had sent" in problems


def test_two_entries_that_changed_places_are_found(witness: Witness) -> None:
    first, second = witness.leaves()[SCORE : SCORE + 2]
    _put(witness, SCORE, second)
    _put(witness, SCORE + 1, first)
    _rewrite_tree(witness)
    problems = witness.problems()
    assert "/centre/scoring: position 2 follows 0" in _of(problems, SCORE)
    assert "the columns do not say what the event says" in _of(problems, SCORE + 1)


@pytest.mark.parametrize("column", ["source", "position", "event_id", "type", "actor", "role", "received_at"])
def test_columns_that_do_not_say_what_the_event_says_are_found(witness: Witness, column: str) -> None:
    other = {"event_id": "gen_random_uuid()", "position": "99", "received_at": "'infinity'"}.get(
        column, "'something else'"
    )
    witness.admin.execute(f"UPDATE entries SET {column} = {other} WHERE index = {SCORE}")
    assert (SCORE, "the columns do not say what the event says") in witness.problems()


def test_columns_swapped_between_two_entries_are_found(witness: Witness) -> None:
    witness.admin.execute(
        f"UPDATE entries e SET actor = o.actor, role = o.role FROM entries o"
        f" WHERE (e.index, o.index) IN (({SCORE}, {SCORE + 1}), ({SCORE + 1}, {SCORE}))"
    )
    assert witness.problems() == [
        (SCORE, "the columns do not say what the event says"),
        (SCORE + 1, "the columns do not say what the event says"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM subjects WHERE index = 9 AND kind = 'batch'",
        "DELETE FROM subjects WHERE index = 9",
        "UPDATE subjects SET ref = 'somebody-else' WHERE index = 9 AND kind = 'examiner'",
        "UPDATE subjects SET kind = 'paper' WHERE index = 9 AND kind = 'batch'",
        "INSERT INTO subjects VALUES ('candidate', 'slandered', 9, 1, -1)",
    ],
)
def test_a_subject_that_was_removed_added_or_turned_is_found(witness: Witness, statement: str) -> None:
    assert witness.admin.execute(statement).rowcount > 0
    first, *others = witness.problems()
    assert first == (9, "the subjects are not those of the event")
    assert {what for _, what in others} <= {UNLINKED}


@pytest.mark.parametrize("change", [(b"[[3,", b"[[2,"), (b",9],", b",8],"), (b"],[", b"],[1,-1],[")])
def test_a_link_that_was_changed_in_the_leaf_is_found(witness: Witness, change: tuple[bytes, bytes]) -> None:
    _change(witness, SCORE + 1, *change)
    assert (SCORE + 1, witness.problems()[0][1]) == witness.problems()[0]


def test_links_that_were_changed_everywhere_with_a_tree_to_match_are_found(witness: Witness) -> None:
    index = LAST_OF_SCORING  # the third of Shi's or of Meng's batch
    sealed, links, received = leaf.decode(witness.leaves()[index])
    number, previous = links[-1]
    witness.admin.execute(
        "UPDATE subjects SET previous = 0 WHERE index = %s AND number = %s AND previous = %s",
        (index, number, previous),
    )
    _put(witness, index, leaf.encode(sealed, [*links[:-1], (number, 0)], received))
    _rewrite_tree(witness)
    assert witness.problems() == [(index, UNLINKED)]


def test_the_first_bad_index_is_named(witness: Witness) -> None:
    assert witness.verdict().as_data()["first"] is None
    for index in (12, 4, 7):
        witness.admin.execute("UPDATE entries SET type = 'Other' WHERE index = %s", (index,))
    assert witness.verdict().as_data()["first"] == 4


def _of_many(witness: Witness) -> None:
    for number in range(110):
        tell(witness, f"candidate {number}")
    witness.hear(at_a_time=100)


def _dsn(witness: Witness) -> str:
    info = witness.connection.info
    return make_conninfo(info.dsn, password=info.password)


def test_tiles_that_were_changed_removed_or_added_are_found(witness: Witness) -> None:
    _of_many(witness)
    assert witness.verdict().problems == []
    witness.admin.execute("CREATE TABLE kept AS TABLE tiles")
    for statement, problem in (
        (
            "UPDATE tiles SET hashes = set_byte(hashes, 99, 255 - get_byte(hashes, 99)) WHERE index = 1",
            (259, "tile 0/1 does not follow from the entries"),
        ),
        ("DELETE FROM tiles WHERE index = 0", (0, "tile 0/0 is missing")),
        (
            "INSERT INTO tiles SELECT 0, 2, hashes FROM tiles LIMIT 1",
            (512, "tile 0/2 is that of a longer log"),
        ),
        ("INSERT INTO tiles SELECT 1, 0, hashes FROM tiles LIMIT 1", (0, "tile 1/0 is that of a longer log")),
    ):
        witness.admin.execute(statement)
        assert witness.problems() == [problem]
        witness.admin.execute("DELETE FROM tiles")
        witness.admin.execute("INSERT INTO tiles TABLE kept")


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_several_processes_find_what_one_finds(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(verification, "_WORTHWHILE", 100)
    _of_many(witness)
    told: list[int] = []

    def found() -> Verdict:
        before = reached(witness.connection)
        return verify_at_once(_dsn(witness), witness.heads(), told.append, before, processes)

    assert found() == witness.verdict()
    assert told[-1] == 678
    _change(witness, 300, b'"role":"', b'"role": "')
    _change(witness, 550, b'"source":"/centre/scoring"', b'"source":"/centre/scorinh"')
    witness.admin.execute("DELETE FROM subjects WHERE index IN (3, 600)")
    assert found().first == witness.verdict().first == 3
    # a section relies on the tree head that it begins behind: what follows from a bad one is told once
    assert set(found().problems) <= set(witness.problems())
    assert {300, 550, 600} <= {index for index, _ in found().problems}


def test_a_process_that_dies_is_told(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_WORTHWHILE", 1)
    with pytest.raises(ReaderDied):
        verify_at_once(_dsn(witness), [], processes=2, progress=_kill_children)


def _kill_children(_: int) -> None:
    for child in multiprocessing.active_children():
        child.kill()


@pytest.mark.parametrize("size", [2, 9, 18])
@pytest.mark.parametrize("column", ["root", "peaks"])
def test_an_altered_tree_head_is_found(witness: Witness, column: str, size: int) -> None:
    done = witness.admin.execute(
        f"UPDATE tree_heads SET {column} = set_byte({column}, 0, 255 - get_byte({column}, 0))"
        f" WHERE size = {size}"
    )
    assert done.rowcount == 1
    assert witness.problems() == [(size - 1, "the tree head does not follow from the entries")]


def test_a_tail_that_is_missing_under_its_tree_heads_is_named_from_its_first_entry_on(
    witness: Witness,
) -> None:
    witness.admin.execute("DELETE FROM subjects WHERE index >= 11")
    witness.admin.execute("DELETE FROM entries WHERE index >= 11")
    assert witness.verdict().first == 11


def test_a_tree_head_of_a_longer_log_is_found(witness: Witness) -> None:
    witness.admin.execute("INSERT INTO tree_heads SELECT 19, root, peaks FROM tree_heads WHERE size = 18")
    assert witness.problems() == [(18, "a tree head speaks of entries that are not there")]


@pytest.mark.parametrize("kept", [17, 9, 0])
def test_tree_heads_that_were_taken_away_are_found(witness: Witness, kept: int) -> None:
    witness.admin.execute("DELETE FROM tree_heads WHERE size > %s", (kept,))
    assert witness.problems() == [(kept, "from this entry on no tree head speaks of them")]


@pytest.mark.parametrize("first", [17, 15, 11, 0])
def test_a_missing_tail_is_found_by_the_heads_of_the_sources(witness: Witness, first: int) -> None:
    witness.forget(first)
    assert any("has not reached the log" in what for _, what in witness.problems())


def test_a_log_that_has_lost_its_tail_is_whole_in_itself(witness: Witness) -> None:
    witness.forget(11)
    assert witness.problems([]) == [], "so it has to be caught from outside"


def test_a_head_that_disagrees_with_the_log_is_found(witness: Witness) -> None:
    source = witness.source("scoring")
    source.bodies[-1] = source.bodies[-1].replace(b'"theory":81', b'"theory":99')
    assert witness.problems() == [(LAST_OF_SCORING, "/centre/scoring: its head at 6 is another event")]


def test_a_head_that_is_not_signed_by_the_sources_key_is_found(witness: Witness, tmp_path: Path) -> None:
    source = witness.source("scoring")
    stranger = Signer.load(tmp_path / "stranger", source.name)
    others = [head for head in witness.heads() if head.source != source.name]
    for forged in (
        witness.head(source, stranger),
        heads.check(tmp_path / "sources", source.name, 6, source.head, b""),
        heads.check(tmp_path / "nowhere", source.name, 6, source.head, bytes(64)),
    ):
        assert witness.problems([*others, forged]) == [
            (None, "/centre/scoring: its head is not signed by its key")
        ]


def test_a_signature_of_another_position_or_another_source_does_not_count(
    witness: Witness, tmp_path: Path
) -> None:
    keys, scoring = tmp_path / "sources", witness.source("scoring")
    signature = Signer.load(keys, scoring.name).sign(6, scoring.head)
    assert heads.check(keys, scoring.name, 6, scoring.head, signature).signed
    assert not heads.check(keys, scoring.name, 5, scoring.head, signature).signed
    assert not heads.check(keys, "/centre/registration", 6, scoring.head, signature).signed


@pytest.mark.parametrize("left", [4, 0])
def test_a_source_that_takes_back_what_it_has_sent_is_found(witness: Witness, left: int) -> None:
    del witness.source("scoring").bodies[left:]
    first_denied = SCORE + left
    problem = f"/centre/scoring: its head {left} is behind the 6 it had sent"
    assert (first_denied, problem) in witness.problems()


def test_a_source_that_went_on_before_the_log_was_read_is_no_problem(witness: Witness) -> None:
    said, before = witness.heads(), reached(witness.connection)
    tell(witness, "Qing")
    witness.hear()
    assert verify(witness.connection, said, before=before).problems == []


def test_many_problems_are_cut_short_for_the_caller_and_none_says_who_it_was(witness: Witness) -> None:
    for number in range(40):
        tell(witness, f"candidate {number}")
    witness.hear()
    witness.admin.execute("UPDATE entries SET actor = 'nobody'")
    data = witness.verdict().as_data()
    assert data["verified"] is False
    problem = "the columns do not say what the event says"
    assert data["problems"] == [{"index": index, "problem": problem} for index in range(10)]
    assert data["more"] == [{"problem": problem, "count": data["size"] - 10}]


# -- what was published


@pytest.fixture
def published(witness: Witness, tmp_path: Path) -> Signatory:
    """Of a log whose first 18 and first 24 entries were signed and published."""
    signatory = Signatory(witness, tmp_path / "var")
    assert signatory.sign()
    tell(witness, "Qing")
    witness.hear()
    assert signatory.sign()
    return signatory


def kept(signatory: Signatory) -> list[tuple[int | None, str]]:
    """What the log does not keep of what was published, when everything else about it seems to be well."""
    made = promised.promise(signatory.audit.connection, signatory.settings)
    verdict = signatory.audit.verdict()
    return promised.broken(signatory.audit.connection, signatory.settings, made, verdict)


def test_an_honest_log_keeps_what_was_published_also_when_it_has_grown(published: Signatory) -> None:
    assert kept(published) == []
    tell(published.audit, "Tao")
    published.audit.hear()
    assert kept(published) == []


@pytest.mark.parametrize(("index", "first", "last"), [(4, 0, 17), (17, 0, 17), (18, 18, 23), (23, 18, 23)])
def test_a_log_made_anew_as_a_whole_is_not_the_one_that_was_published(
    published: Signatory, index: int, first: int, last: int
) -> None:
    published.rewrite(index, altered(published.leaves()[index]))
    published.audit.admin.execute(
        "UPDATE entries SET received_at = substring(convert_from(leaf, 'UTF8') FROM"
        ' \'"received":"([^"]+)"\')::timestamptz WHERE index = %s',
        (index,),
    )
    assert published.audit.verdict().verified, "nothing else can tell"
    what = f"among entries {first} to {last} there is another than was signed and published"
    assert kept(published) == [(first, what)]


def test_a_log_that_has_lost_what_was_published_is_named_from_there_on(published: Signatory) -> None:
    published.audit.forget(20)
    assert kept(published) == [(20, "20 entries are fewer than the 24 of its published checkpoint")]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE signed_checkpoints SET root = sha256('') WHERE size = 24",
            "its note is about another tree",
        ),
        (
            "UPDATE signed_checkpoints SET note = substr(note, 1, position(E'\\n\\n' in note) + 1) || '— x '"
            " || encode(sha256(''), 'base64') || E'\\n' WHERE size = 24",
            "no key that the policy has for",
        ),
        ("UPDATE signed_checkpoints SET note = 'x' WHERE size = 24", "a note is a text, an empty line"),
    ],
)
def test_a_published_checkpoint_that_nobody_signed_is_told(
    published: Signatory, statement: str, what: str
) -> None:
    assert published.audit.admin.execute(statement).rowcount == 1
    ((index, problem),) = kept(published)
    assert index is None
    assert problem.startswith(f"the published checkpoint of 24: {what}")


def judged(signatory: Signatory) -> tuple[str, str]:
    """The verdict in a word, and what it lacks."""
    made = promised.promise(signatory.audit.connection, signatory.settings)
    assert kept(signatory) == []
    verdict = replace(signatory.audit.verdict(), lacking=promised.lacking(made))
    assert verdict.as_data()["verified"] is verdict.verified is (verdict.word == "verified")
    return verdict.word, verdict.lacking


def test_a_checkpoint_without_its_witnesses_is_unwitnessed(published: Signatory) -> None:
    assert judged(published) == ("verified", "")
    assert published.audit.admin.execute("DELETE FROM cosignatures WHERE size = 24").rowcount > 0
    lacking = "the published checkpoint of 24: cosigned by 0 of 1 witnesses"
    assert judged(published) == ("unwitnessed", lacking)


def test_between_a_new_policy_and_its_cosignatures_nothing_is_altered(published: Signatory) -> None:
    """Whom the policy asks for now, nobody has asked yet."""
    policy = keyring.policy(published.settings)
    more = [
        Named(name, PrivateKey.seeded(f"example/{name}", WITNESS, name.encode() * 16).verifier)
        for name in ("w1", "w2")
    ]
    published.settings.policy_file.write_text(trusting(policy.logs, (*policy.witnesses, *more)).text)
    lacking = "the published checkpoint of 24: cosigned by 1 of 3 witnesses"
    assert judged(published) == ("unwitnessed", lacking)


def test_a_cosignature_that_is_not_by_its_witness_is_told(published: Signatory) -> None:
    published.audit.admin.execute(
        "UPDATE cosignatures SET line = (SELECT line FROM cosignatures WHERE size = 18) WHERE size = 24"
    )
    ((index, problem),) = kept(published)
    assert index is None
    assert problem.startswith("the published checkpoint of 24: ")


def test_findings_that_were_deleted_are_missed_where_the_log_tells_of_them(witness: Witness) -> None:
    audit = Source("audit")
    for first in (1, None):
        said = {
            "kind": "missing-events",
            "about": "/centre/scoring",
            "last_position": 9,
            "evidence": "",
            "batch": "",
        }
        audit.say(
            FindingRaised(finding=new_id(), first_position=first, first_index=None, last_index=None, **said),
            Actor("audit", Role.SERVICE, "centre"),
            f"finding-{first}",
        )
        witness.admin.execute(
            "INSERT INTO findings (kind, source, first_position, last_position, detail)"
            " VALUES ('missing-events', '/centre/scoring', %s, 9, '{}')",
            (first,),
        )
    inbox.apply(witness.connection, recorder, audit.name, audit.events())
    assert witness.verdict().verified
    witness.admin.execute("DELETE FROM findings WHERE first_position = 1")
    missed = "the finding that it tells of ('missing-events') is not among the findings"
    assert witness.problems() == [(18, missed)]
    _put(witness, 3, b"no leaf")  # so that all are looked at one by one
    assert (18, missed) in witness.problems()
    witness.admin.execute("TRUNCATE findings")
    assert {(18, missed), (19, missed)} <= set(witness.problems())


def test_it_helps_nobody_to_delete_the_checkpoints(published: Signatory) -> None:
    admin = published.audit.admin
    admin.execute("DELETE FROM cosignatures WHERE size = 24")
    admin.execute("DELETE FROM signed_checkpoints WHERE size = 24")
    assert kept(published) == []
    published.rewrite(20, altered(published.leaves()[20]))
    admin.execute(
        "UPDATE entries SET received_at = substring(convert_from(leaf, 'UTF8') FROM"
        ' \'"received":"([^"]+)"\')::timestamptz WHERE index = 20'
    )
    assert published.audit.verdict().verified, "nothing else can tell"
    assert kept(published) == [(18, "among entries 18 to 23 there is another than was signed and published")]
    admin.execute("TRUNCATE signed_checkpoints CASCADE")
    assert kept(published) == [(0, "among entries 0 to 23 there is another than was signed and published")]
    admin.execute("TRUNCATE entries, subjects, tiles, tree_heads")
    assert kept(published) == [(0, "0 entries are fewer than the 24 of its last signature")]


def test_a_damaged_memory_of_the_signer_is_told(published: Signatory) -> None:
    for path in (published.settings.var / "signer").glob("*.json"):
        path.write_text("{}")
    assert kept(published) == [(None, "the last signature of 0: the signer's memory of it is damaged")]


def test_whoever_has_no_policy_compares_all_the_same(published: Signatory) -> None:
    published.settings.policy_file.unlink()
    assert kept(published) == []
    published.audit.forget(20)
    assert kept(published)[0][0] == 20

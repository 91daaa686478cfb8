"""The command: exit codes, what it prints, how it is cancelled, and that it needs nothing else of ours."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.audit.verifier import verdict, words
from services.audit.verifier.cli import _WORDS
from tests.unit.verifier import making
from tests.unit.verifier.making import LOG, WITNESSES, Log

PACKAGE = Path(verdict.__file__).parent


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """The folder of the verifier, carried away to where nothing else of ours is."""
    there = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(PACKAGE, there / "verifier", ignore=shutil.ignore_patterns("__pycache__"))
    return there


@pytest.fixture
def folder(tmp_path):
    now = int(time.time())
    return Log.of(300).write(tmp_path / "log", time=now)


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.txt"
    file.write_text(making.policy())
    return file


def environment():
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONWARNINGS": "error"}


@pytest.fixture
def verify(carried):
    def run(*arguments):
        command = [sys.executable, "-m", "verifier", *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=carried,
            env=environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


def said(ended):
    assert ended.stderr == ""
    [line] = ended.stdout.splitlines()
    return json.loads(line)


def test_a_good_export_is_valid(verify, folder, policy):
    ended = verify(folder, "--policy", policy)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "valid 核验通过" in ended.stdout
    assert "300" in ended.stdout


def test_programs_get_one_object(verify, folder, policy):
    found = said(verify(folder, "--policy", policy, "--json", "--workers", 2))
    assert list(found) == [
        "verdict", "index", "size", "root", "origin", "signed_by", "cosigned_by", "newest_cosignature",
        "about", "subjects", "problems", "more", "notes", "seconds",
    ]  # fmt: skip
    assert (found["verdict"], found["index"], found["size"], found["problems"]) == ("valid", None, 300, [])
    assert found["origin"] == making.ORIGIN
    assert found["signed_by"] == [f"{making.ORIGIN}+{LOG.id.hex()}"]
    assert len(found["cosigned_by"]) == len(WITNESSES)
    assert found["root"] in (folder / "checkpoint").read_text()


def test_several_processes_find_what_one_finds(verify, tmp_path, policy):
    log = Log.of(2600)
    log.leaves[1300] = log.leaves[1300].replace(b'"level":', b'"levels":')
    folder = log.write(tmp_path / "log", time=int(time.time()))
    found = [
        said(verify(folder, "--policy", policy, "--json", "--workers", n)) | {"seconds": 0} for n in (1, 2)
    ]
    assert found[0] == found[1]
    assert (found[0]["verdict"], found[0]["index"]) == ("tampered", 1300)


def test_the_folders_own_policy_proves_nothing_and_says_so(verify, folder):
    ended = verify(folder)
    assert ended.returncode == 0
    assert "the policy is the folder's own" in ended.stdout
    assert "同出一手" in ended.stdout


def test_each_verdict_has_its_exit_code(verify, folder, policy, tmp_path):
    old = Log.of(300).checkpoint(time=int(time.time()) - 7200)
    (folder / "checkpoint").write_text(old)
    assert verify(folder, "--policy", policy, "--max-age", 1).returncode == 5
    assert verify(folder, "--policy", policy, "--max-age", 3).returncode == 0
    (folder / "checkpoint").write_text(Log.of(300).checkpoint(LOG))
    assert verify(folder, "--policy", policy).returncode == 4
    (folder / "tile/entries/000").rename(tmp_path / "kept")
    assert verify(folder, "--policy", policy).returncode == 3
    (folder / "tile/entries/000").write_bytes(
        (tmp_path / "kept").read_bytes().replace(b"centre", b"center", 1)
    )
    ended = verify(folder, "--policy", policy, "--json")
    assert (ended.returncode, said(ended)["index"]) == (1, 0)
    (folder / "checkpoint").unlink()
    assert verify(folder, "--policy", policy).returncode == 6


def test_a_bundle_needs_a_policy(verify, tmp_path, policy):
    log = Log.of(40)
    file = tmp_path / "trail.json"
    file.write_text(json.dumps(log.bundle(log.about[3][0])))
    assert verify(file).returncode == 2
    assert said(verify(file, "--policy", policy, "--json"))["subjects"] == [log.about[3][0]]
    assert verify(file, "--workers", "many").returncode == 2
    assert verify().returncode == 2


def wrong_files(tmp_path):
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 1 << 40)
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 50)
    return [tmp_path / name for name in ("nothing", "empty", "pipe", "huge", "noise")]


def test_whatever_cannot_be_read_is_named(verify, policy, tmp_path):
    files = [*wrong_files(tmp_path), tmp_path / ("x" * 300)]
    for file in files:
        ended = verify(file, "--policy", policy, "--json")
        assert ended.returncode == 6
        assert len(said(ended)["problems"]) == 1
    for file in files:
        ended = verify(tmp_path / "empty", "--policy", file)
        assert ended.returncode == 6
        assert "Traceback" not in ended.stdout + ended.stderr


def test_what_others_have_written_moves_no_cursor(verify, policy, tmp_path):
    log = Log()
    log.add(log.event("/centre/\x1b[2Jscoring", [], "somebody", position=7))
    folder = log.write(tmp_path / "log", time=int(time.time()))
    ended = verify(folder, "--policy", policy)
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout
    assert "\\x1b[2Jscoring" in ended.stdout


@pytest.fixture
def long(tmp_path):
    """A log of more entries than are read in a second, each bundle of them the same file."""
    folder = Log.of(256).write(tmp_path / "log", time=int(time.time()))
    text = f"{making.ORIGIN}\n{256 * 900}\n{words.base64(bytes(32))}\n"
    (folder / "checkpoint").write_text(making.note(text, LOG, *WITNESSES, time=int(time.time())))
    for number in range(1, 900):
        for level in ("entries", "0"):
            os.link(folder / f"tile/{level}/000", folder / f"tile/{level}/{number:03d}")
    return folder


@pytest.fixture
def running(carried, policy, long):
    """The command at work on it with two processes, in a group of its own."""
    command = [sys.executable, "-m", "verifier", str(long), "--policy", str(policy), "--workers", "2"]
    with subprocess.Popen(
        command, cwd=carried, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", start_new_session=True,
    ) as running:  # fmt: skip
        yield running
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to", [os.killpg, os.kill])
@pytest.mark.parametrize("after", [0, 0.3])
def test_it_can_be_cancelled(running, number, to, after):
    workers = until_it_works(running)
    time.sleep(after)
    to(running.pid, number)  # a terminal tells the whole group
    out, errors = running.communicate(timeout=30)
    assert (running.returncode, out) == (128 + number, "")
    assert errors == "jianding-verify: cancelled / 已取消\n"
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []


def test_a_worker_that_is_killed_ends_it(running):
    workers = until_it_works(running)
    os.kill(int(workers[0]), signal.SIGKILL)
    out, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (6, "")
    assert "UNREADABLE" in out


def test_workers_follow_whoever_started_them(running):
    workers = until_it_works(running)
    time.sleep(0.5)
    running.kill()
    running.wait()
    until = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.05)


def until_it_works(running):
    """Its two workers' process ids."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        workers = children.read_text().split()
        if len(workers) == 2:
            return workers
        time.sleep(0.01)
    raise AssertionError("it started no workers")


def test_everything_is_said_in_both_languages():
    for code, sentences in words.SENTENCES.items():
        gaps = [sorted(re.findall(r"{(\w+)}", sentence)) for sentence in sentences]
        assert gaps[0] == gaps[1], code
        assert re.search("[一-鿿]", sentences[1]) or code == "file"


def test_every_verdict_has_a_word_and_a_code():
    assert set(_WORDS) == set(verdict.EXIT_CODES) == {verdict.VALID, *verdict.GRAVEST_FIRST}

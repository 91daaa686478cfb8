"""`jianding-verify`: a bundle or an exported tree plus a policy in, a verdict out."""

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import orjson
import typer

from . import bundle, export, files, policy
from .leaf import is_subject
from .pool import SIGNALS, processors
from .progress import teller
from .verdict import UNREADABLE, VALID, Verdict
from .words import Fault, shown

_WORDS = {
    VALID: "valid 核验通过",
    "tampered": "TAMPERED 已被篡改",
    "incomplete": "INCOMPLETE 不完整",
    "unwitnessed": "UNWITNESSED 见证不足",
    "stale": "STALE 已过时",
    "unreadable": "UNREADABLE 无法读取",
}

# nothing but us is in this process, and a copy of it is ready at once
_METHOD = "fork" if sys.platform == "linux" else "spawn"

app = typer.Typer(
    name="jianding-verify",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Cancelled(BaseException):
    """Somebody does not want to wait."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@app.command(
    epilog="Exit codes: 0 valid, 1 tampered, 2 wrong usage, 3 incomplete, 4 unwitnessed, 5 stale,"
    " 6 unreadable, 130 cancelled. Of several, this order counts: 1, 6, 3, 4, 5."
)
def main(
    path: Annotated[Path, typer.Argument(help="The folder of an export, or the file of a trail bundle.")],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="Whose signatures count; get it from somebody else than the log."
        ),
    ] = None,
    max_age: Annotated[
        float | None,
        typer.Option(min=0, metavar="HOURS", help="Stale if the quorum has not cosigned within these."),
    ] = None,
    about: Annotated[
        str,
        typer.Option(
            metavar="KIND:ID", help="Incomplete unless the bundle is the whole trail of this: candidate:0b2f…"
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    workers: Annotated[
        int, typer.Option(min=0, max=256, metavar="N", help="Processes; 0 for one on each processor.")
    ] = 0,
) -> None:
    """Check an audit log without server or database. 离线核验审计日志

    Needs nothing but the files: signatures and witnesses, the Merkle tree, each source's chain and each
    subject's links of an export; signatures, proofs and completeness of a trail.
    """
    _speak()
    if trust is None and not _is_folder(path):
        raise typer.BadParameter("a bundle needs one / 核验轨迹包须给出策略", param_hint="--policy")
    if about and (_is_folder(path) or not is_subject(about)):
        raise typer.BadParameter("kind:id, of a bundle / 须为 类别:编号，且用于轨迹包", param_hint="--about")
    verdict = _unless_cancelled(path, trust, max_age, workers or processors(), about)
    _print(verdict, as_json)
    raise typer.Exit(verdict.exit_code)


def _unless_cancelled(path: Path, *asked: Any) -> Verdict:
    try:
        with _cancellable():
            return _verify(path, *asked)
    except Cancelled as cancelled:
        sys.stderr.write("jianding-verify: cancelled / 已取消\n")
        raise typer.Exit(128 + cancelled.signal) from None


def _verify(path: Path, trust: Path | None, max_age: float | None, workers: int, about: str) -> Verdict:
    started = time.monotonic()
    verdict = Verdict()
    try:
        _look(path, trust, max_age, workers, verdict, about)
    except Fault as fault:
        verdict.add(UNREADABLE, None, fault)
    except Exception as error:  # whatever the input has brought about is its own fault
        why = Fault("unforeseen", why=f"{type(error).__name__}: {error}")
        verdict.add(UNREADABLE, None, "file", file=path, why=why)
    verdict.seconds = time.monotonic() - started
    return verdict


def _look(
    path: Path, trust: Path | None, max_age: float | None, workers: int, verdict: Verdict, about: str
) -> None:
    file = trust or path / "policy"
    raw = files.read(file, files.POLICY)
    if raw is None:
        raise Fault("file", file=file, why=Fault("no_file"))
    if trust is None:
        verdict.notes.append(Fault("own_policy"))
    try:
        trusted = policy.parse(raw)
    except Fault as why:
        raise Fault("policy", why=why) from None
    with teller() as progress:
        if _is_folder(path):
            export.verify(path, trusted, verdict, time.time(), max_age, workers, progress, _METHOD)
        else:
            bundle.verify(path, trusted, verdict, time.time(), max_age, about, progress)


def _at_once(number: int, _frame: Any) -> None:
    """Somebody asks twice: workers follow by themselves."""
    os._exit(128 + number)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, a folder that we may not look into
        return False


@contextmanager
def _cancellable() -> Iterator[None]:
    """Ctrl-C and SIGTERM become Cancelled."""

    def stop(number: int, _frame: Any) -> None:
        for each in SIGNALS:
            signal.signal(each, _at_once)
        raise Cancelled(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects, none of which refers to itself
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        for number, handler in before.items():
            signal.signal(number, handler)


def _speak() -> None:
    """Whatever the locale says: ours are two languages."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _print(verdict: Verdict, as_json: bool) -> None:
    try:
        if as_json:
            sys.stdout.write(orjson.dumps(verdict.as_data()).decode() + "\n")
        else:
            _show(verdict, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads; the exit code still tells
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(verdict: Verdict, out: TextIO) -> None:
    told, more = verdict.told()
    for problem in told:
        place = "" if problem.index is None else f"index 序号 {problem.index}: "
        out.write(f"{place}{problem.fault.english}\n    {problem.fault.chinese}\n")
    if more:
        out.write(f"and {more} more 另有 {more} 处\n")
    for note in verdict.notes:
        out.write(f"note 注意: {note.english}\n    {note.chinese}\n")
    out.write(_WORDS[verdict.name] + ("" if verdict.index is None else f" @ {verdict.index}") + "\n")
    if verdict.size is None:
        return
    data = verdict.as_data()
    for name, value in (
        ("origin 日志", data["origin"]),
        ("size 条数", data["size"]),
        ("root 根哈希", data["root"]),
        ("signed by 签名", ", ".join(data["signed_by"])),
        ("cosigned by 会签", ", ".join(data["cosigned_by"]) or "-"),
        ("newest cosignature 最近会签", data["newest_cosignature"] or "-"),
        ("about 关于", ", ".join(data["about"])),
        ("subjects 对象", ", ".join(map(shown, data["subjects"]))),
    ):
        if value != "":
            out.write(f"  {name}: {value}\n")
    out.write(f"  {verdict.seconds:.1f} s\n")

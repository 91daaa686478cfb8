"""Commands about the audit log's signatures: what was signed, exports and bundles for others, keys."""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from shared.kernel.ids import new_id
from shared.runtime.cli.access import admin, connection, say
from shared.runtime.cli.output import Failed, Json, console, errors, tell
from shared.runtime.cli.trail import Kind
from shared.runtime.cli.typed import printable
from shared.runtime.definition import definition
from shared.runtime.reading import read_of
from shared.runtime.settings import settings


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an older export.")],
    as_json: Json = False,
) -> None:
    """Write the whole log as files that anybody can check: checkpoint, tiles, entries, policy.

    把整个日志导出为任何人都能核验的文件。 To a folder with an older export, only what is new is added.
    """
    tools = definition("audit").tools
    current = settings()
    with admin(current) as dsn, connection(current, dsn, "audit") as connected:
        _sign(dsn)

        def announce(checkpoint: Any) -> None:
            id = new_id()
            say(current, connected, tools["say_exported"](id, checkpoint), id)

        try:
            done = tools["export"](connected, current, folder, _progress(as_json), announce)
        except OSError as error:
            raise Failed(_unwritable(folder, error)) from None
    if as_json:
        tell({"folder": str(folder), "size": done.size, "root": done.root, "written": done.added})
    else:
        console.print(
            f"{folder}: {done.size} entries / 条记录, root {done.root}", markup=False, soft_wrap=True
        )


def _unwritable(path: Path, error: OSError) -> str:
    return f"{str(path)[:200]}: {error.strerror}。请选择可写的位置。 Choose a place that you may write."


def _progress(quiet: bool) -> Any:
    def report(count: int) -> None:
        if not quiet and count % 25_600 == 0:
            errors.print(f"{count} entries written …")

    return report


def _sign(dsn: str) -> None:
    """Where no signer runs, what has come to the log since is signed now; elsewhere the signer does that."""
    current = settings()
    if current.embedded_bus:
        definition("audit").tools["sign_now"](current, dsn)


def bundle(
    kind: Annotated[Kind, typer.Argument(help="What ID is.")],
    id: Annotated[
        str, typer.Argument(metavar="ID", help="The whole id, as events show it.", callback=printable)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")],
    as_json: Json = False,
) -> None:
    """Write a trail as one file that proves itself: every event, none missing, none altered.

    把一份完整的追溯记录写成可自证的文件。
    """
    current, tools = settings(), definition("audit").tools
    with admin(current) as dsn, connection(current, dsn, "audit") as connected:
        found = tools["bundle"](connected, current, kind.value, id, sign=lambda: _sign(dsn))
        if not found["entries"]:
            raise Failed(
                f"{id[:80]}: 审计日志中没有这个编号；请从事件或报告中复制完整编号。"
                f" The log has no {kind.value} of this id; copy the whole id from an event or a report."
            )
        made = new_id()
        say(current, connected, tools["say_made"](made, kind.value, id, found), made)
    try:
        output.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(_unwritable(output, error)) from None
    if as_json:
        tell({"file": str(output), "events": len(found["entries"]), "subjects": len(found["heads"])})
    else:
        events = len(found["entries"])
        console.print(f"{output}: {events} events / 条事件", markup=False, soft_wrap=True)


def checkpoint(as_json: Json = False) -> None:
    """Print the newest checkpoint that a quorum of witnesses has cosigned. 打印最新的检查点。"""
    current = settings()
    tools = definition("audit").tools
    with admin(current) as dsn, connection(current, dsn, "audit") as connected:
        note = tools["published"](connected, current.origin)
        standing = tools["standing"](connected, current)
    if as_json:
        said = {"size": standing.size, "published": standing.published, "cosigned": standing.cosigned}
        tell({**said, "checkpoint": str(note or "")})
    elif note is not None:
        sys.stdout.write(str(note))
    if note is None and not as_json:
        raise Failed(
            "还没有已公布的检查点；请运行 jianding up。 No checkpoint is published yet; `jianding up` signs."
        )


def policy(as_json: Json = False) -> None:
    """Print whose signatures make a checkpoint valid. 打印信任策略。"""
    current = settings()
    found = definition("audit").tools["policy"](current)
    text = current.policy_file.read_text(encoding="utf-8", errors="backslashreplace")
    if as_json:
        least, all_ = found.least
        tell({"file": str(current.policy_file), "policy": text, "quorum": least, "witnesses": all_})
    else:
        sys.stdout.write(text)


def findings(as_json: Json = False) -> None:
    """List what somebody has to look at: contradictions, refused cosignatures, what was not signed.

    列出需要查看的发现。
    """
    current = settings()
    with (
        admin(current) as dsn,
        connection(current, dsn, "audit") as connected,
        connected.cursor(row_factory=dict_row) as rows,
    ):
        found = list(_all(partial(definition("audit").tools["findings"], rows)))
    if as_json:
        tell({"findings": found})
        return
    for each in found:
        place = _place(each)
        detail = ", ".join(f"{name}: {value}" for name, value in each["detail"].items())
        line = f"{each['id']}  {each['raised_at']:%Y-%m-%d %H:%M:%S}  {each['kind']}  {each['source']}{place}"
        console.print(line, markup=False, soft_wrap=True)
        console.print(f"    {detail}", markup=False, soft_wrap=True)
    console.print(f"{len(found)} findings / 项发现")


def evidence(
    finding: Annotated[int, typer.Argument(min=1, metavar="ID", help="As `audit findings` shows it.")],
    as_json: Json = False,
) -> None:
    """Print what shows a finding, hashed anew and held against the hash that the finding names.

    That you looked is an event.

    打印某项发现的证据原文，并与发现所记的哈希核对。查阅会记入日志。
    """
    found = _shown(finding)
    named, kept = found["named"], found["kept"]
    if named and not kept:
        raise Failed(
            f"sha256 {named}: 证据已被删除或篡改；请从备份或来源处取得原文。"
            " The evidence was deleted or changed; look for it in a backup, or ask its source."
        )
    bodies = [{**row, "body": bytes(row["body"]).decode(errors="backslashreplace")} for row in kept]
    if as_json:
        tell({**found, "kept": bodies})
        return
    for row in bodies:
        # somebody else chose it: nothing in it may move the cursor
        shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in row["body"])
        console.print(f"sha256 {named}: {row['reason']}", markup=False, soft_wrap=True)
        console.print(shown, markup=False, soft_wrap=True)
    if not named:
        console.print("此项发现的依据就在日志中。 The log itself shows it; there is no other evidence.")


def _shown(finding: int) -> dict[str, Any]:
    """The finding with what shows it; that somebody looked is committed."""
    current = settings()
    with (
        admin(current) as dsn,
        connection(current, dsn, "audit") as connected,
        connected.cursor(row_factory=dict_row) as rows,
    ):
        found = definition("audit").tools["evidence"](rows, finding)
        if found is None:
            raise Failed(
                f"{finding}: 没有这项发现；请用 audit findings 查看。 No such finding; see `audit findings`."
            )
        # what somebody put on the bus may speak of anybody: that it was shown is an event (R163)
        read = new_id()
        say(current, connected, read_of("audit", read, "evidence", {}, len(found["kept"])), read)
    return dict(found)


def _all(findings: Callable[[int], list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Page by page, until there are no more."""
    after = 0
    while page := findings(after):
        yield from page
        after = page[-1]["id"]


def _place(finding: dict[str, Any]) -> str:
    said = ""
    for name in ("position", "index"):
        first, last = finding[f"first_{name}"], finding[f"last_{name}"]
        if first is not None:
            said += f"  {name} {first}" + (f" to {last}" if last not in (None, first) else "")
    return said


def rotate_key(
    finish: Annotated[
        bool, typer.Option("--finish", help="Destroy the old key: the new one signs alone.")
    ] = False,
) -> None:
    """Begin to change the log's key: from now on the old and a new one sign. Later, `--finish`.

    更换日志密钥：先新旧并用，确认各方策略已更新后再 --finish。 Give the new policy to whoever verifies,
    and the new key to every witness, before you finish.
    """
    current = settings()
    tools = definition("audit").tools
    key = tools["finish" if finish else "rotate"](current)
    if current.embedded_bus and current.embedded_postgres and (current.var / "postgres").exists():
        with admin(current) as dsn:
            _sign(dsn)
    sys.stdout.write(f"{key.verifier}\n")

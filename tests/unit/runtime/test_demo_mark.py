"""Which data a demo may replace: its own, until somebody has given a command on it."""

from pathlib import Path

import pytest

from shared.bus.calls import Refused
from shared.kernel.errors import Busy
from shared.runtime.demo.mark import mark, marked, somebodys


def test_data_on_which_a_command_was_accepted_is_somebodys(tmp_path: Path) -> None:
    mark(tmp_path)
    with somebodys(tmp_path):
        assert not marked(tmp_path), "whoever dies now keeps his data"
    assert not marked(tmp_path)


def test_a_refused_command_leaves_the_data_to_the_demo(tmp_path: Path) -> None:
    mark(tmp_path)
    with pytest.raises(Refused), somebodys(tmp_path):
        raise Refused.of(Busy())
    assert marked(tmp_path)


def test_a_command_whose_answer_did_not_come_may_have_been_accepted(tmp_path: Path) -> None:
    mark(tmp_path)
    with pytest.raises(TimeoutError), somebodys(tmp_path):
        raise TimeoutError
    assert not marked(tmp_path)


def test_data_that_no_demo_made_is_never_marked_by_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refused), somebodys(tmp_path):
        raise Refused.of(Busy())
    assert not marked(tmp_path)

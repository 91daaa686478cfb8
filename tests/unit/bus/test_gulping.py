"""Bytes come in the sizes that are asked for, whatever the sizes that the socket gives."""

import pytest

from shared.bus.gulping import Gulp


class Socket:
    """Gives what has arrived, piece by piece; an error is raised, and nothing comes at the end."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def receive(self, most: int) -> bytes:
        self.asked += 1
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        assert len(piece) <= most
        return piece


def test_many_small_questions_are_one_to_the_socket() -> None:
    socket = Socket(b"a frame and the next")
    gulp = Gulp(socket.receive)
    assert [gulp(1), gulp(7), gulp(5), gulp(100)] == [b"a", b" frame ", b"and t", b"he next"]
    assert socket.asked == 1


def test_what_was_received_before_an_error_is_not_lost() -> None:
    gulp = Gulp(Socket(b"half", TimeoutError(), b" a frame").receive)
    assert gulp(4) == b"half"
    with pytest.raises(TimeoutError):
        gulp(8)
    assert gulp(8) == b" a frame"


def test_nothing_more_is_the_end() -> None:
    gulp = Gulp(Socket(b"last").receive)
    assert [gulp(9), gulp(9), gulp(9)] == [b"last", b"", b""]

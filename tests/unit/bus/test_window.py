"""Confirms in flight: whatever order they come in, the confirmed prefix has no hole."""

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.window import Window

START = 100


def sent(count, size=1000):
    window = Window(size, START)
    for place in range(1, count + 1):
        window.sent(START + place)
    return window


@st.composite
def confirms(draw):
    """(how many were sent, confirms in any order: single, multiple, repeated, or of tags that never were)"""
    count = draw(st.integers(0, 20))
    confirm = st.tuples(st.integers(1, count + 3), st.booleans())
    return count, draw(st.lists(confirm, max_size=60))


def prefix(count, said):
    """The model: which tags are confirmed, then how many without a hole."""
    known = set()
    for tag, multiple in said:
        known |= set(range(1, tag + 1)) if multiple else {tag}
    return next((tag - 1 for tag in range(1, count + 1) if tag not in known), count)


@given(confirms())
def test_the_confirmed_prefix_never_skips_and_never_goes_back(case):
    count, said = case
    window, before = sent(count), START
    for place, (tag, multiple) in enumerate(said, start=1):
        window.ack(tag, multiple)
        assert window.confirmed == START + prefix(count, said[:place])
        assert window.confirmed >= before
        before = window.confirmed


@given(st.permutations(range(1, 13)))
def test_confirms_in_any_order_confirm_everything(order):
    window = sent(12)
    for tag in order:
        window.ack(tag, multiple=False)
    assert window.confirmed == START + 12
    assert window.room() == 1000


@given(confirms())
def test_room_is_what_was_not_sent_behind_the_prefix(case):
    count, said = case
    window = sent(count, size=25)
    for tag, multiple in said:
        window.ack(tag, multiple)
    assert window.room() == 25 - (count - prefix(count, said))


def test_positions_need_not_be_those_of_the_tags():
    window = Window(10, 41)
    for position in (42, 50, 51):
        window.sent(position)
    window.ack(2, multiple=False)
    assert window.confirmed == 41
    window.ack(1, multiple=False)
    assert window.confirmed == 50


def test_sending_goes_on_while_confirms_come():
    window = sent(2)
    window.ack(2, multiple=True)
    window.sent(START + 3)
    assert window.confirmed == START + 2
    window.ack(3, multiple=False)
    assert window.confirmed == START + 3


def test_nothing_is_confirmed_before_anything_is():
    assert Window(10, START).confirmed == START
    assert sent(3).confirmed == START

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.growing import Growing

steps = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abcd"), st.none() | st.integers(0, 9)))


@given(steps)
def test_every_version_stays_what_a_dict_of_its_own_would_be(steps):
    """Each step goes on from any version so far: adds what has a value, leaves out what has none."""
    versions = [(Growing[str, int](), dict[str, int]())]
    for place, key, value in steps:
        ours, plain = versions[place % len(versions)]
        if value is None:
            left = {each: kept for each, kept in plain.items() if each != key}
            versions.append((ours.without(key), left))
        else:
            versions.append((ours.adding(key, value), {**plain, key: value}))
    for ours, plain in versions:
        assert (ours, list(ours.items()), len(ours)) == (plain, list(plain.items()), len(plain))
        assert all((key in ours, ours.get(key)) == (key in plain, plain.get(key)) for key in "abcd")


def test_growing_copies_nothing():
    first = Growing[int, str]().adding(0, "somebody")
    latest = first
    for number in range(1, 1000):
        latest = latest.adding(number, "somebody")
    assert latest._entries is first._entries
    assert (len(first), len(latest)) == (1, 1000)


def test_an_empty_one_keeps_nothing_of_those_that_began_with_it():
    empty = Growing[int, str]()
    assert list(empty.adding(1, "one")) == [1]
    assert list(empty.adding(2, "two")) == [2]
    assert empty._entries == {}

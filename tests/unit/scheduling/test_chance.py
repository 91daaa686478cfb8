"""What fell by chance can be recomputed by anybody, and by nobody beforehand."""

import hashlib
import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.domain.chance import digest_of, drawn, in_seat_order
from shared.kernel.ids import derived_id

APPLICATIONS = [derived_id("application", str(number)) for number in range(60)]
PAPERS = [derived_id("paper", str(number)) for number in range(7)]
DIGEST = digest_of(PAPERS)

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(order=st.permutations(APPLICATIONS), seed=texts)
def test_a_seed_has_one_seat_order_whoever_enrolled_first(order, seed):
    seats = in_seat_order(order, seed)
    assert seats == in_seat_order(APPLICATIONS, seed)
    assert sorted(seats) == sorted(APPLICATIONS)


def test_another_seed_seats_differently():
    assert in_seat_order(APPLICATIONS, "one") != in_seat_order(APPLICATIONS, "two")


def test_the_seat_order_is_what_its_name_says():
    by_hand = sorted(APPLICATIONS, key=lambda one: hashlib.sha256(f"seed/{one}".encode()).hexdigest())
    assert in_seat_order(APPLICATIONS, "seed") == tuple(by_hand)


def test_a_room_alone_shows_that_its_order_is_right():
    room = in_seat_order(APPLICATIONS, "seed")[30:]
    assert in_seat_order(room, "seed") == room


def test_the_digest_is_what_its_description_says():
    text = "[" + ",".join(json.dumps(paper) for paper in sorted(PAPERS)) + "]"
    assert digest_of(reversed(PAPERS)) == hashlib.sha256(text.encode()).hexdigest()


def test_another_pool_has_another_digest():
    assert digest_of(PAPERS[1:]) != DIGEST


def test_the_draw_is_what_its_name_says():
    number = int(hashlib.sha256(f"lot/{DIGEST}/{APPLICATIONS[0]}".encode()).hexdigest(), 16)
    assert drawn(PAPERS, DIGEST, "lot", APPLICATIONS[0]) == sorted(PAPERS)[number % 7]


@given(order=st.permutations(PAPERS), lot=texts, application=st.sampled_from(APPLICATIONS))
def test_a_lot_draws_one_paper_of_the_pool_however_it_is_listed(order, lot, application):
    paper = drawn(order, DIGEST, lot, application)
    assert paper in PAPERS
    assert paper == drawn(PAPERS, DIGEST, lot, application)


def test_every_paper_is_drawn_about_as_often():
    counts = Counter(drawn(PAPERS, DIGEST, str(lot), APPLICATIONS[0]) for lot in range(7000))
    assert set(counts) == set(PAPERS)
    assert max(counts.values()) - min(counts.values()) < 200

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from slide_results import BEGIN, field_result

from cloud.index.tables import slides
from cloud.index.worklist import EVERY, Wanted, one, page, totals

KINDS = [["Normal"] * 9, ["ALL"] * 3, ["AML"] + ["Normal"] * 19, ["AML"] + ["Normal"] * 60, []]
"""Of ranks 3, 0, 1, 2 and 3."""


@pytest.fixture
def filled(index):
    """Forty slides; each tenth is in review, the last four are signed."""
    index.put(
        field_result(n, KINDS[n % 5], slide=f"{'ab'[n % 2]}{n:02}", site=f"lab-{n % 4}")
        for n in range(40)
    )
    with index.engine.begin() as connection:
        review = slides.c.slide.in_([f"a{n:02}" for n in range(0, 40, 10)])
        connection.execute(sa.update(slides).where(review).values(state="in review"))
        signed = slides.c.slide.in_(["a36", "b37", "a38", "b39"])
        connection.execute(sa.update(slides).where(signed).values(state="signed", done=True))
    return index


def every_page(index, **wanted):
    found, after = [], None
    while True:
        got = page(index, Wanted(after=after, **wanted))
        found += got.slides
        if got.after is None:
            return found
        after = got.after


def test_suspected_blasts_come_first_and_of_equals_the_one_that_waits_longest(filled):
    found = every_page(filled)
    assert [line.place for line in found] == sorted(line.place for line in found)
    assert [line.slide for line in found[:3]] == ["b01", "a06", "b11"]
    assert {line.rank for line in found[:7]} == {0}


@pytest.mark.parametrize("size", [1, 7, 36, 50])
def test_pages_of_any_size_make_up_the_same_list(filled, size):
    assert every_page(filled, size=size) == every_page(filled, size=500)
    assert len(every_page(filled, size=size)) == 36


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"states": {"signed"}}, lambda line: line.state == "signed"),
        ({"states": {"signed", "amended"}}, lambda line: line.state == "signed"),
        ({"states": {"in review"}}, lambda line: line.state == "in review"),
        ({"states": {"in review", "signed"}}, lambda line: line.state != "open"),
        ({"states": EVERY}, lambda line: True),
        ({"states": EVERY, "site": "lab-1"}, lambda line: line.site == "lab-1"),
        ({"states": EVERY, "rank": 0}, lambda line: line.rank == 0),
        ({"states": EVERY, "token": "b1"}, lambda line: line.slide.startswith("b1")),
        ({"states": EVERY, "token": "%"}, lambda line: False),
    ],
)
def test_filters_give_exactly_what_they_say(filled, wanted, holds):
    everything = every_page(filled, states=EVERY)
    assert len(everything) == 40
    assert every_page(filled, size=3, **wanted) == [line for line in everything if holds(line)]


def test_a_slide_that_comes_between_two_pages_shifts_none_out(filled):
    first = page(filled, Wanted(size=10))
    filled.put([field_result(99, ["ALL"] * 5, slide="first-of-all", captured_at=BEGIN)])
    rest = every_page(filled, size=500)
    second = page(filled, Wanted(size=500, after=first.after))
    shown = [line.slide for line in first.slides + second.slides]
    assert shown == [line.slide for line in rest if line.slide != "first-of-all"]


def test_totals_count_by_state_and_the_undone_by_urgency(filled):
    found = totals(filled)
    assert found.states == {"open": 32, "in review": 4, "signed": 4, "amended": 0}
    assert sum(found.undone.values()) == 36
    assert found.undone[0] == len([line for line in every_page(filled) if line.rank == 0])


@pytest.mark.parametrize("size", [0, 501, -1])
def test_a_page_of_no_or_too_many_slides_is_refused(filled, size):
    with pytest.raises(ValueError, match="ask for 1 to 500"):
        page(filled, Wanted(size=size))


def test_one_slide_is_found_and_none_is_none(filled):
    assert one(filled, "lab-1", "b01").cells == 3
    assert one(filled, "lab-2", "b01") is None


def test_waiting_is_never_negative(filled):
    line = one(filled, "lab-1", "b01")
    assert line.waited_s(line.waiting_since + timedelta(seconds=90)) == 90
    assert line.waited_s(datetime(2020, 1, 1, tzinfo=UTC)) == 0

from datetime import UTC, datetime

import pytest

from cloud.index.worklist import EVERY, UNDONE, Place
from cloud.page.asked import Asked, AskedError

PLACE = Place(2, datetime(2026, 1, 5, 8, tzinfo=UTC), "lab-east", "s0123")


def test_what_is_not_asked_for_is_what_waits():
    assert Asked.read() == Asked()
    assert Asked().wanted.states == UNDONE
    assert not Asked().filtered


def test_every_filter_has_an_address_that_is_read_as_the_same_filter():
    whole = Asked.read("all", "lab-east", "2", "s01")
    parts = dict(part.split("=") for part in whole.query(after=PLACE)[1:].split("&"))
    again = Asked.read(**parts)
    assert (again.wanted.states, again.wanted.site, again.wanted.rank) == (EVERY, "lab-east", 2)
    assert (again.wanted.token, again.after) == ("s01", PLACE)


def test_another_filter_begins_at_its_first_page():
    assert "after" not in Asked(after=PLACE).query(state="all")


def test_a_token_is_found_as_the_page_shortens_it():
    assert Asked.read(q=" s012345678… ").q == "s012345678"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "lost"),
        ("site", "no/such"),
        ("site", "frames"),
        ("rank", "4"),
        ("rank", "-1"),
        ("rank", "1.0"),
        ("q", "s%"),
        ("q", "a\x00"),
        ("after", "x"),
        ("after", "ä"),
        ("after", "W10"),  # []
        ("after", "WzksIjIwMjYtMDEtMDVUMDg6MDA6MDBaIiwiYSIsImIiXQ"),  # rank 9
        ("after", "WzEsIjAwMDEtMDEtMDFUMDA6MDA6MDArMTQ6MDAiLCJhIiwiYiJd"),  # before the year 1
        ("after", "WzEsIjIwMjYtMDEtMDVUMDg6MDA6MDAiLCJhIiwiYiJd"),  # no zone
        ("after", "WzEsIjIwMjYtMDEtMDVUMDg6MDA6MDBaIiwiYSIsImJcdTAwMDAiXQ"),  # NUL
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(AskedError, match=f"^{name}$"):
        Asked.read(**{name: value})

"""Slides before a browser: each test has one of its own, with pictures."""

import hashlib
import re
from dataclasses import replace
from itertools import count

import msgspec
from browsers import expect
from reading_room import case_of, put_reading
from stages import FIELDS, pictured

from cloud.reading import for_people
from cloud.reviews.entry import See
from wire.codec import encode

_NUMBERS = count(1)

LABELS = ("ALL", "AML", "Normal", "unidentified", "excluded")


class Shown:
    """A slide in a served room, as its tests put it there and look behind the page."""

    def __init__(self, served, kind="open", fields=FIELDS):
        number = next(_NUMBERS)
        self.served = served
        self.token = f"s{hashlib.sha256(str(number).encode()).hexdigest()[:20]}"
        self.path = f"/slides/home/{self.token}"
        self._kind, self._next = kind, 10_000 * number
        for place in range(fields):
            self.field(place)

    def field(self, place=0):
        """One field more."""
        self._next += 1
        made = pictured(self._next, self._kind, place)
        result = msgspec.structs.replace(made.result, slide=self.token)
        published = encode(result)
        made = replace(made, result=result, published=published, stored=for_people(published))
        self.served.do(put_reading(self.served.room, made))

    def case(self):
        """As the bucket has it."""
        return self.served.do(case_of(self.served.room, self.token))

    def look(self, reader="ada"):
        """See all that is flagged, past the page."""
        case = self.case()
        action, desk = See(case.slide.unseen(case.review)), self.served.room.desk
        last = case.review.number
        self.served.do(desk.act("home", self.token, reader, action, last_seen=last))
        self.case()


def bin_of(page, label):
    """A bin."""
    return page.locator(f"#bin-{label}")


def picks(page, label):
    """What selects a cell, for each of a bin."""
    return bin_of(page, label).locator(".pick")


def counts(page, *numbers):
    """Wait until the bins hold so many cells, as their names above say."""
    for label, number in zip(LABELS, numbers, strict=True):
        expect(page.locator(f"#bin-nav [data-bin={label}] .number")).to_have_text(str(number))


def loaded(page):
    """Wait until the page's scripts are at work and the pictures in view are there."""
    expect(page.locator(".cell .pick[tabindex='0']")).to_have_count(1)
    page.wait_for_function(
        "() => [...document.images].filter((one) => one.checkVisibility() "
        "&& one.getBoundingClientRect().top < innerHeight).every((one) => one.complete)"
    )


def scroll_through(page):
    """Look at all of it, as a person scrolls: until every flagged cell was seen."""
    page.evaluate("scrollTo(0, 0)")
    for _ in range(40):
        if page.locator(".cell.is-unseen").count() == 0:
            break
        page.wait_for_timeout(1300)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(100)
        if page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2"):
            page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#sign")).to_contain_text(re.compile(r"(\d+) of \1 flagged"))

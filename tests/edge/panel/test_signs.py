"""Which light belongs to which state of the desk."""

from dataclasses import replace

import pytest
from desk_states import line, quiet, refusal

from edge.panel import patterns
from edge.panel.signs import events, lasting
from edge.trouble import Trouble

BROKER_AWAY = (Trouble("broker-away", "The broker is away.", "Check the network."),)


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({}, patterns.NO_SLIDE),
        ({"slide": "s1"}, patterns.READY),
        ({"slide": "s1", "activity": "capturing"}, patterns.WORKING),
        ({"slide": "s1", "activity": "scanning", "troubles": BROKER_AWAY}, patterns.WORKING),
        ({"activity": "calibrating"}, patterns.WORKING),
        ({"troubles": BROKER_AWAY}, patterns.TROUBLE),
        ({"slide": "s1", "troubles": BROKER_AWAY}, patterns.TROUBLE_OPEN),
    ],
)
def test_what_lasts_is_shown_as_long_as_it_lasts(changes, pattern):
    assert lasting(replace(quiet(), **changes)) is pattern


def test_ten_captures_sent_together_are_told_once():
    before = replace(quiet(), lines=tuple(line(f"c{n}", saved=True) for n in range(10)))
    after = replace(before, lines=tuple(line(f"c{n}", saved=True, sent=True) for n in range(10)))
    assert events(before, after) == [patterns.SENT]


def test_saved_and_refused_in_one_look_are_both_told():
    after = replace(quiet(), lines=(line("a", saved=True),), refusal=refusal("too-dark"))
    assert events(quiet(), after) == [patterns.SAVED, patterns.REFUSED]


@pytest.mark.parametrize("code", ["no-slide", "no-barcode"])
def test_a_missing_number_is_asked_for(code):
    assert events(quiet(), replace(quiet(), refusal=refusal(code))) == [patterns.SCAN_NUMBER]


def test_the_same_refusal_again_is_told_again_and_an_old_one_is_not():
    first = replace(quiet(), refusal=refusal("too-dark"))
    again = replace(quiet(), refusal=refusal("too-dark"))
    assert events(first, again) == [patterns.REFUSED]
    assert events(again, again) == []


def test_a_refusal_that_is_over_is_no_event():
    assert events(replace(quiet(), refusal=refusal("too-dark")), quiet()) == []

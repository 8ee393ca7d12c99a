"""Whether the station's clock can be right."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.clock import ClockCheck
from wire.messages import Receipt

CAPTURE = "018f4e7a-0000-7000-8000-000000000001"
OTHER = "018f4e7a-0000-7000-8000-000000000002"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Hands:
    """A clock to be set, and the time that really passes."""

    def __init__(self, wrong=timedelta()):
        self.wrong = wrong
        self.passed = 0.0

    @property
    def true(self):
        return NOW + timedelta(seconds=self.passed)

    def check(self):
        return ClockCheck(lambda: self.true + self.wrong, lambda: self.passed)


def receipt(at, capture_id=CAPTURE):
    return Receipt(capture_id=capture_id, outcome="stored", at=at)


def test_a_clock_that_agrees_with_a_receipt_is_well():
    hands = Hands()
    clock = hands.check()
    clock.sent(CAPTURE)
    hands.passed = 0.4
    clock.receipted(receipt(hands.true))
    assert clock.trouble() is None


@pytest.mark.parametrize("year", [1970, 2025, 2057, 9999])
def test_a_year_that_cannot_be_is_told_without_any_cloud(year):
    clock = ClockCheck(lambda: datetime(year, 5, 1, tzinfo=UTC))
    trouble = clock.trouble()
    assert trouble.code == "clock-wrong"
    assert f"{year}-05-01" in trouble.sentence
    assert "Captures go on" in trouble.remedy


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (timedelta(days=3 * 365), "3 years ahead of"),
        (timedelta(hours=5), "5 hours ahead of"),
        (timedelta(days=-40), "40 days behind"),
        (timedelta(minutes=-3), "3 minutes behind"),
        (timedelta(days=1, hours=1), "1 day ahead of"),
    ],
)
def test_a_clock_that_a_receipt_contradicts_is_told_how_far(wrong, said):
    hands = Hands(wrong)
    clock = hands.check()
    clock.sent(CAPTURE)
    hands.passed = 2.0
    clock.receipted(receipt(hands.true))
    assert f"{said} the cloud's" in clock.trouble().sentence


def test_a_receipt_that_waited_at_the_broker_for_days_accuses_nobody():
    hands = Hands()
    clock = hands.check()
    clock.receipted(receipt(NOW - timedelta(days=3)))  # of a frame that another run has sent
    assert clock.trouble() is None
    clock.sent(OTHER)
    hands.passed = 3 * 86_400.0  # the worker was away so long
    clock.receipted(receipt(hands.true - timedelta(days=2), OTHER))
    assert clock.trouble() is None


def test_the_trouble_is_over_with_the_first_receipt_after_the_clock_was_set():
    hands = Hands(timedelta(days=400))
    clock = hands.check()
    clock.sent(CAPTURE)
    clock.sent(OTHER)
    clock.receipted(receipt(hands.true))
    assert clock.trouble() is not None
    hands.wrong = timedelta()
    clock.receipted(receipt(hands.true, OTHER))
    assert clock.trouble() is None

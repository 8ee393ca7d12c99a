"""Slow dimming is told, chance and a wrong clock are not, and no file stops a capture."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from structlog.testing import capture_logs

from edge.quality.days import Day, together
from edge.quality.record import DAYS_KEPT, VALUES_KEPT
from edge.quality.slope import falling
from edge.quality.trend import Trend
from imaging.quality import Quality

FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def trend(tmp_path):
    opened = Trend(tmp_path / "quality" / "trend.db")
    yield opened
    opened.close()


def quality(brightness, focus=0.8, cast=2.0):
    return Quality(focus, brightness, 0.0, cast, 0.4)


def fill(trend, days, a_day, *, start=FIRST, spread=0.02, captures=5, brightness=0.65):
    """Five captures on each working day; slides differ, the lamp loses `a_day` of its light."""
    rng = np.random.default_rng(5)
    for day in range(days):
        moment = start + timedelta(days=day)
        if moment.weekday() < 5:
            for _ in range(captures):
                noise = np.exp(spread * rng.standard_normal())
                trend.note(moment, quality(float(brightness * (1 - a_day) ** day * noise)))


def test_a_day_is_the_medians_of_its_captures(trend):
    for brightness in (0.6, 0.1, 0.62):
        trend.note(FIRST, quality(brightness, focus=brightness * 2, cast=brightness * 10))
    trend.note(FIRST + timedelta(days=1), quality(0.5))
    first, second = trend.days()
    assert first.date == FIRST.astimezone().date()
    assert (first.brightness, first.focus, first.cast) == (0.6, 1.2, 6.0)
    assert (first.captures, second.captures) == (3, 1)


def test_a_lamp_that_dims_slowly_is_told_with_pace_and_remedy(trend):
    fill(trend, days=40, a_day=0.005)
    told = trend.warning()
    assert "1" in told
    assert "darker within 39 days" in told or "darker within 38 days" in told
    assert "are refused in" in told
    assert "lamp" in told


def test_a_lamp_that_began_to_fail_after_months_is_told_too(trend):
    fill(trend, days=70, a_day=0.0)
    fill(trend, days=18, a_day=0.008, start=FIRST + timedelta(days=70))
    assert "darker" in trend.warning()


def test_slides_that_differ_are_no_dimming(trend):
    fill(trend, days=60, a_day=0.0, spread=0.05)
    assert trend.warning() == ""


def test_a_lamp_that_brightens_is_no_dimming(trend):
    fill(trend, days=40, a_day=-0.004, brightness=0.5)
    assert trend.warning() == ""


def test_after_the_lamp_was_put_right_nothing_is_said(trend):
    fill(trend, days=40, a_day=0.005)
    assert trend.warning()
    fill(trend, days=7, a_day=0.0, start=FIRST + timedelta(days=42))
    assert trend.warning() == ""


def test_too_few_days_say_nothing(trend):
    fill(trend, days=7, a_day=0.05)
    assert len(trend.days()) == 5
    assert trend.warning() == ""


def test_days_with_a_capture_or_two_are_shown_but_prove_nothing(trend):
    fill(trend, days=40, a_day=0.005, captures=2)
    assert len(trend.days()) == 30
    assert trend.warning() == ""


@pytest.mark.parametrize("year", [1970, 2019, 2099])
@pytest.mark.parametrize("when", ["first", "midst", "last"])
def test_days_of_a_wrong_year_ruin_nothing(trend, year, when):
    wrong = datetime(year, 1, 1, 12, tzinfo=UTC)
    if when == "first":
        trend.note(wrong, quality(0.2))
    fill(trend, days=20, a_day=0.005)
    if when == "midst":
        fill(trend, days=3, a_day=0.0, start=wrong, brightness=0.9)
    fill(trend, days=20, a_day=0.005, start=FIRST + timedelta(days=20), brightness=0.588)
    if when == "last":
        fill(trend, days=3, a_day=0.0, start=wrong, brightness=0.9)
    assert {day.date.year for day in trend.days()} == {2026}
    assert "darker within" in trend.warning()


def test_a_clock_that_is_wrong_all_the_time_has_a_trend_all_the_same(trend):
    fill(trend, days=40, a_day=0.005, start=datetime(1970, 1, 5, 12, tzinfo=UTC))
    assert "darker" in trend.warning()


def test_a_clock_put_right_after_long_begins_a_new_trend():
    def days(start, count, order):
        return [Day(start + timedelta(days=n), 0.6, 1, 1, 5, order + n) for n in range(count)]

    old = days(date(2019, 1, 1), 60, 0)
    for count, year in ((10, 2019), (20, 2026)):
        new = days(date(2026, 3, 1), count, 100)
        assert {day.date.year for day in together(old + new)} == {year}


def test_no_days_belong_to_nothing():
    assert together([]) == []


def test_it_stays_small_and_forgets_the_days_captured_longest_ago(trend, tmp_path):
    future = datetime(2099, 1, 1, 12, tzinfo=UTC)
    trend.note(future, quality(0.6))
    for number in range(DAYS_KEPT + 20):
        trend.note(FIRST + timedelta(days=number), quality(0.6))
    days = trend._record.days()
    assert len(days) == DAYS_KEPT
    assert days[0].date == (FIRST + timedelta(days=20)).astimezone().date()
    assert all(day.date.year < 2099 for day in days)


def test_of_a_long_day_the_newest_values_count_and_all_captures_are_counted(trend):
    trend._record.add(FIRST.date(), 0.9, 1.0, 1.0)
    rows = [(FIRST.date().toordinal(), 0.9, 1.0, 1.0)] * VALUES_KEPT
    trend._record._do(
        lambda db: db.executemany(
            "INSERT INTO captures (day, brightness, focus, tint) VALUES (?, ?, ?, ?)", rows
        )
    )
    for _ in range(VALUES_KEPT // 2 + 1):
        trend._record.add(FIRST.date(), 0.5, 1.0, 1.0)
    (day,) = trend.days()
    assert day.brightness == 0.5
    assert day.captures == VALUES_KEPT // 2 + 2
    (kept,) = trend._record._do(lambda db: db.execute("SELECT count(*) FROM captures").fetchone())
    assert kept == VALUES_KEPT


def test_it_is_there_again_after_a_restart(trend, tmp_path):
    fill(trend, days=10, a_day=0.0)
    again = Trend(tmp_path / "quality" / "trend.db")
    assert again.days() == trend.days() != []
    assert again.problem == ""
    again.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"this is no database, whatever its name says" * 100,
        lambda data: data[:512] + bytes(len(data) - 512),
        lambda data: data[: len(data) // 2],
    ],
    ids=["noise", "zeros", "cut"],
)
def test_a_damaged_file_is_told_and_set_aside(trend, tmp_path, damage):
    file = tmp_path / "quality" / "trend.db"
    fill(trend, days=10, a_day=0.0)
    trend.close()
    file.write_bytes(damage(file.read_bytes()))
    with capture_logs() as logs:
        again = Trend(file)
        again.note(FIRST, quality(0.6))
        days = again.days()
        again.close()
    assert [(day.date, day.captures) for day in days] == [(FIRST.astimezone().date(), 1)]
    assert "set aside" in again.problem
    assert str(tmp_path) not in again.problem
    assert [log["event"] for log in logs] == ["trend_damaged"]
    assert (tmp_path / "quality" / "trend.db.damaged").exists()


def test_a_disk_that_takes_nothing_is_told_once_and_over_when_it_does(tmp_path):
    file = tmp_path / "trend.db"
    file.mkdir()
    with capture_logs() as logs:
        trend = Trend(file)
        trend.note(FIRST, quality(0.6))
        assert trend.days() == []
        assert trend.warning() == ""
    assert "no trend" in trend.problem
    assert [log["event"] for log in logs] == ["trend_unusable"]
    file.rmdir()
    trend.note(FIRST, quality(0.6))
    assert trend.problem == ""
    assert len(trend.days()) == 1
    trend.close()


def test_a_file_that_turns_out_damaged_while_the_station_runs_is_set_aside_too(trend, tmp_path):
    fill(trend, days=10, a_day=0.0)
    trend.close()  # SQLite forgets what it had in memory
    file = tmp_path / "quality" / "trend.db"
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 40_000)
    trend.note(FIRST, quality(0.6))
    assert len(trend.days()) == 1
    assert "set aside" in trend.problem


def test_a_measure_that_is_no_number_is_passed_over(trend):
    trend.note(FIRST, quality(float("nan")))
    assert trend.days() == []
    assert trend.problem == ""


def test_a_moment_without_a_time_zone_is_the_program_s_fault(trend):
    with pytest.raises(ValueError, match="time zone"):
        trend.note(FIRST.replace(tzinfo=None), quality(0.6))


def test_the_slope_stands_when_a_quarter_of_the_days_is_wrong():
    days = list(range(40))
    values = [0.7 * 0.99**day for day in days]
    values[5::4] = [0.95] * len(values[5::4])
    fall = falling(days, values)
    assert fall is not None
    assert fall.a_day == pytest.approx(0.01, abs=0.004)


def test_the_slope_of_an_exact_decay_is_exact():
    fall = falling([0, 1, 3, 4, 7, 8, 11], [0.7 * 0.98**day for day in (0, 1, 3, 4, 7, 8, 11)])
    assert fall is not None
    assert fall.a_day == pytest.approx(0.02)
    assert fall.lost == pytest.approx(1 - 0.98**11)


def test_a_few_values_or_none_have_no_fall():
    assert falling([], []) is None
    assert falling([1], [0.5]) is None
    assert falling([1, 2], [0.5, 0.4]) is None

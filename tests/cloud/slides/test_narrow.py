import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.slides.interval import exact_interval
from cloud.slides.narrow import cells_to_narrow


def _reach(hits, n):
    low, high = exact_interval(hits, n)
    return max(hits / n - low, high - hits / n)


def test_without_a_hit_the_closed_form_gives_the_count():
    # The upper end is 1 - 0.025 ** (1 / n): 5 % at 71.9 cells.
    assert cells_to_narrow(0, 10) == 72 - 10
    assert cells_to_narrow(10, 10) == 72 - 10


def test_at_half_and_half_it_takes_somewhat_more_than_the_normal_curve_says():
    cochran = 1.959964**2 * 0.25 / 0.05**2  # 384.1
    assert cochran < 10 + cells_to_narrow(5, 10) < cochran + 30


@pytest.mark.parametrize(("hits", "n", "factor"), [(1, 4, 100), (3, 10, 40), (9, 20, 25)])
def test_so_many_do_and_one_less_does_not(hits, n, factor):
    more = cells_to_narrow(hits, n)
    assert n < n + more < n * factor
    whole = n + more + (-(n + more) % n)  # the next count of which the share is a whole number
    assert _reach(hits * whole // n, whole) <= 0.05
    short = (n + more - 1) // n * n
    assert _reach(hits * short // n, short) > 0.05 or short == n + more


def test_what_is_narrow_enough_needs_nothing():
    assert cells_to_narrow(200, 2000) == 0
    assert cells_to_narrow(1, 2, wanted=1) == 0


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_the_same_from_either_side_and_never_below_nothing(counted):
    hits, n = counted
    more = cells_to_narrow(hits, n)
    assert more == cells_to_narrow(n - hits, n) >= 0
    assert (more == 0) == (_reach(hits, n) <= 0.05)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (2, 1), (-1, 3)])
def test_no_share_is_refused(hits, n):
    with pytest.raises(ValueError, match="is no share"):
        cells_to_narrow(hits, n)


def test_a_wish_beyond_reach_is_refused():
    with pytest.raises(ValueError, match="no count of cells"):
        cells_to_narrow(1, 2, wanted=1e-6)

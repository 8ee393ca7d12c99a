import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from cloud.slides.interval import exact_interval


@pytest.mark.parametrize("n", [1, 10, 200])
def test_of_none_and_of_all_the_interval_has_a_closed_form(n):
    assert exact_interval(0, n) == pytest.approx((0, 1 - 0.025 ** (1 / n)))
    assert exact_interval(n, n) == pytest.approx((0.025 ** (1 / n), 1))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_leaves_one_fortieth_of_the_binomial_beyond_what_was_seen(seen):
    hits, n = seen
    low, high = exact_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    if hits:
        assert binom.sf(hits - 1, n, low) == pytest.approx(0.025, abs=1e-6)
    if hits < n:
        assert binom.cdf(hits, n, high) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_a_share_of_nothing_is_refused(hits, n):
    with pytest.raises(ValueError, match="is no share"):
        exact_interval(hits, n)

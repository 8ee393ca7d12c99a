"""The exact interval of a share."""

from scipy.special import betaincinv


def exact_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a binomial share after Clopper and Pearson (Biometrika 1934, 26, 404).

    It holds the true share with at least this confidence, however small `n` is. The ends are
    quantiles of beta distributions: Brown, Cai and DasGupta, Statistical Science 2001, 16, 101.

    Args:
        hits: 0 to `n`.
        n: 1 or more.
        confidence: between 0 and 1.

    Returns:
        Lower and upper end, each a share from 0 to 1.

    Raises:
        ValueError: there is nothing to take a share of, or more hits than that.
    """
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high

"""How many cells more would narrow an interval."""

from typing import Final

from scipy.special import betaincinv

WANTED: Final = 0.05
"""Of a share: ± 5 points."""

_MOST: Final = 1 << 20
"""Cells: at half and half 402 do for ± 5 points, so this is far behind every sensible wish."""


def cells_to_narrow(hits: int, n: int, wanted: float = WANTED, confidence: float = 0.95) -> int:
    """How many cells more until the exact interval of a share reaches no farther than wanted.

    It is taken for granted that the share stays as it is. The interval is that of
    `exact_interval` (Clopper and Pearson), whose ends as quantiles of beta distributions (Brown,
    Cai and DasGupta, Statistical Science 2001, 16, 101) are defined for parts of cells, too: so
    the answer does not jump to and fro with whether the share of so many cells is a whole number.
    Roughly it is z² p (1 - p) / wanted² (Cochran, Sampling Techniques, 1977, 4.4), and always more.

    Args:
        hits: 0 to `n`.
        n: cells counted so far, 1 or more.
        wanted: how far either end may lie from the share, above 0.
        confidence: between 0 and 1.

    Returns:
        0 where it is narrow enough already.

    Raises:
        ValueError: there is nothing to take a share of, or more hits than that, or `wanted` is so
            small that a million cells would not do.
    """
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    share = hits / n
    few, enough = n, n
    while _reach(share, enough, confidence) > wanted:
        few, enough = enough, 2 * enough
        if enough > _MOST:
            raise ValueError(f"no count of cells that can be had reaches ± {wanted}")
    while enough - few > 1:  # `few` does not do, unless it is `n` and there was nothing to look for
        middle = (few + enough) // 2
        if _reach(share, middle, confidence) > wanted:
            few = middle
        else:
            enough = middle
    return enough - n


def _reach(share: float, n: int, confidence: float) -> float:
    """How far the farther end lies from the share."""
    tail = (1 - confidence) / 2
    hits = share * n
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return max(share - low, high - share)

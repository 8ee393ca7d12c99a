"""A robust fall through few, noisy values."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

_SURE: Final = 2.33
"""Standard normal quantile: chance alone falls so in one of a hundred series."""


class Fall(NamedTuple):
    """A steady decrease."""

    lost: float
    """Part of the first value that is gone at the last, 0 to 1."""
    a_day: float
    """Part of a value that is gone a day later, 0 to 1."""


def falling(days: Sequence[int], values: Sequence[float]) -> Fall | None:
    """The decrease of positive values over days, where it is more than chance.

    The slope is the median of the slopes of all pairs (Theil 1950; Sen, J Am Stat Assoc 1968, 63,
    1379), of the values' logarithms, as lamps age by a part of what is left. It stands as long as
    at most 29 % of the values are wrong. Whether it is chance is judged by Kendall's rank test
    (Mann, Econometrica 1945, 13, 245), which asks for no distribution.

    Args:
        days: increasing, no two the same.
        values: above 0, one for each day.

    Returns:
        None where the values do not fall, or chance may do so.
    """
    when = np.asarray(days, np.float64)
    logs = np.log(np.maximum(np.asarray(values, np.float64), 1e-6))
    first, second = np.triu_indices(len(when), 1)
    rises = logs[second] - logs[first]
    count = len(when)
    spread = np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    if not count or (np.sign(rises).sum() + 1) / max(spread, 1e-9) > -_SURE:
        return None
    slope = float(np.median(rises / (when[second] - when[first])))
    return Fall(1 - float(np.exp(slope * (when[-1] - when[0]))), 1 - float(np.exp(slope)))

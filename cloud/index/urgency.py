"""How soon a slide should be looked at."""

from typing import Final

from cloud.labels import BLAST_SHARE

NAMES: Final = ("blasts", "blasts possible", "few blasts", "no blasts")
"""Of the ranks: what is suspected. 0 is looked at first."""


def urgency(
    blasts: int, per_100: float | None, interval: tuple[float, float] | None, unidentified: int
) -> int:
    """Rank a slide, 0 to 3, by its suspected blasts.

    0: their share of the identified cells reaches the 20 per 100 of `cloud.labels.BLAST_SHARE`.
    1: it does not, but with the cells counted so far it cannot be excluded (the exact interval
       reaches that far) of a slide with blasts or with cells that the model could not name; or no
       cell was identified at all: nobody knows.
    2: there are some. 3: there are none.
    """
    if per_100 is None or interval is None:
        return 1 if unidentified else 3
    if per_100 >= 100 * BLAST_SHARE:
        return 0
    if interval[1] >= 100 * BLAST_SHARE and (blasts or unidentified):
        return 1
    return 2 if blasts else 3

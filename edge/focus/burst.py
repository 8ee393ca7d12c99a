"""A burst: some pictures of one field, of which the sharpest is kept."""

from collections.abc import Callable, Sequence

from edge.cameras.base import Shot
from edge.focus.measure import sharpness


def sharpest(shots: Sequence[Shot]) -> int:
    """Index of the sharpest shot of ONE field; of equal ones the first.

    Raises:
        ValueError: there are none.
    """
    if not shots:
        raise ValueError("a burst of no pictures has no sharpest: take 1 or more")
    measured = [sharpness(shot.image) for shot in shots]
    return measured.index(max(measured))


def burst(take: Callable[[], Shot], count: int) -> tuple[Shot, list[float]]:
    """Take `count` pictures and keep the sharpest.

    Only the best so far is held: a burst takes the memory of two pictures, however long it is.

    Args:
        take: gives a new picture of the field.
        count: 1 or more.

    Returns:
        The sharpest shot, and the sharpness of each in the order they were taken.

    Raises:
        ValueError: `count` is below 1.
        CameraError: from `take`; without a picture there is no burst.
    """
    if count < 1:
        raise ValueError(f"a burst of {count} pictures cannot be: take 1 or more")
    best = take()
    measured = [sharpness(best.image)]
    for _ in range(count - 1):
        shot = take()
        measured.append(sharpness(shot.image))
        if measured[-1] > max(measured[:-1]):
            best = shot
    return best, measured

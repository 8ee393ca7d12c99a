"""Gives the memory of large pictures back to the system as soon as they are let go."""

import ctypes
import sys
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
"""glibc's name of the option (malloc.h)."""
_LARGE_BYTES: Final = 1 << 20


def return_large_blocks() -> bool:
    """Have every block of 1 MB and more mapped by itself.

    glibc raises this threshold whenever a larger block is freed, up to 32 MB; pictures then lie in
    the heap, which keeps their holes: 30 to 60 MB more in a station that runs for days. A fixed
    threshold is not raised (mallopt(3)). Previews are smaller and stay quick.

    Returns:
        False where the C library is none that can be told.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl has none, and needs none
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES))

"""Whether a JPEG's markers lead from its start to its end.

libjpeg fills what is missing with gray and only prints a warning, so a cut file is found here:
the markers are walked (ITU-T T.81, annex B), which costs no decoding.
"""

import re
from typing import Final

from imaging.decode_error import DecodeError

# In a scan FF is followed by 00 (a stuffed byte), D0-D7 (restart) or FF (fill). Else it ends.
_SCAN_END: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOS: Final = 0xDA
_EOI: Final = 0xD9
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RSTn, SOI: no length follows
_PADDING: Final = b"\x00\xff\r\n "
_MAX_SCANS: Final = 100
"""A progressive JPEG has about ten; thousands of them are an attack on the decoder's time."""


def check_structure(data: bytes) -> None:
    """Walk a JPEG's markers from SOI to EOI.

    Raises:
        DecodeError: `image-truncated` where the file ends before EOI; `image-unreadable` where
            something that is no marker stands in a marker's place, there is no scan, or there
            are more than 100.
    """
    at, scans = 2, 0
    while True:
        at, marker = _marker(data, at)
        if marker == _EOI:
            break
        if marker in _BARE:
            continue
        at = _after_segment(data, at)
        if marker == _SOS:
            scans += 1
            at = _after_scan(data, at)
        if scans > _MAX_SCANS:
            raise _unreadable(f"it has more than {_MAX_SCANS} scans")
    if scans == 0:
        raise _unreadable("it ends before its picture begins")
    if data[at:].strip(_PADDING):
        _check_trailer(data, at)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and the offset behind it; fill bytes FF may stand before it."""
    start = at
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise _truncated(len(data))
    if at == start:
        raise _unreadable(f"byte {at} should begin a marker")
    return at + 1, data[at]


def _after_segment(data: bytes, at: int) -> int:
    end = at + int.from_bytes(data[at : at + 2], "big")
    if end >= len(data):
        raise _truncated(len(data))
    if end < at + 2:
        raise _unreadable(f"the segment at byte {at} has no length")
    return end


def _after_scan(data: bytes, at: int) -> int:
    found = _SCAN_END.search(data, at)
    if found is None:
        raise _truncated(len(data))
    return found.start()


def _check_trailer(data: bytes, at: int) -> None:
    """Cameras append a second JPEG (a preview); anything else means the end came too early."""
    trailer = data[at:].strip(_PADDING)
    if not (trailer.startswith(b"\xd8") and trailer.endswith(b"\xd9")):
        raise _unreadable(f"{len(data) - at} bytes follow its end marker")


def _truncated(size: int) -> DecodeError:
    return DecodeError(
        "image-truncated", f"the JPEG stops at byte {size} without an end marker: send it again"
    )


def _unreadable(why: str) -> DecodeError:
    return DecodeError("image-unreadable", f"the JPEG is damaged, {why}: save or send it again")

"""Whether a PNG's chunks are whole: lengths, checksums and the end chunk (PNG, 3rd edition, 5)."""

import zlib
from typing import Final

from imaging.decode_error import DecodeError

_SIGNATURE: Final = 8
_FRAME: Final = 12  # length, type and checksum around a chunk's data


def check_structure(data: bytes) -> None:
    """Walk a PNG's chunks to IEND and check each one's CRC.

    Raises:
        DecodeError: `image-truncated` where the file ends before IEND; `image-unreadable` where a
            checksum does not fit.
    """
    view = memoryview(data)
    at = _SIGNATURE
    while True:
        end = at + _FRAME + int.from_bytes(view[at : at + 4], "big")
        if end > len(data):
            raise DecodeError(
                "image-truncated",
                f"the PNG stops at byte {len(data)}, inside a chunk: send it again",
            )
        kind = bytes(view[at + 4 : at + 8])
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise DecodeError(
                "image-unreadable",
                f"the PNG's chunk {kind!r} at byte {at} fails its checksum: send it again",
            )
        if kind == b"IEND":
            return
        at = end

"""A planted name and number, and every disguise in which they might come out again."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

NAME = "Kanarienvogel"
"""Stands for a patient's name."""
ACCESSION = "H2026-0471133 Kanarienvogel"
"""A number on a slide, with a name on it, as somebody may type it."""
NUMBER = "H2026-0471133"
SCANNED = "24-0815-KNR"
"""The number in the barcode."""


def disguises(text: str) -> Iterator[bytes]:
    """The text as it is, escaped, encoded, and hashed without a key, which anybody can undo."""
    plain = text.encode()
    yield from (plain, quote(text).encode(), quote_plus(text).encode(), text.encode("utf-16-le"))
    yield plain.hex().encode()
    for shift in range(3):  # base64 of a longer text that holds it, at any place
        whole = base64.b64encode(b" " * shift + plain + b" " * 3)
        yield whole[4 if shift else 0 : len(whole) - 8]
    for algorithm in ("md5", "sha1", "sha256"):
        yield hashlib.new(algorithm, plain).hexdigest().encode()


_SOUGHT = sorted({d.lower() for t in (NAME, ACCESSION, NUMBER, SCANNED) for d in disguises(t)})


def canaries_in(data: bytes | str) -> list[bytes]:
    """What of it is found, whatever its case."""
    where = (data.encode() if isinstance(data, str) else data).lower()
    return [sought for sought in _SOUGHT if sought in where]


def canaries_under(folder: Path, *, but: tuple[Path, ...] = ()) -> list[tuple[Path, list[bytes]]]:
    """Files, by their contents or their own names, in which one is found."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(file.is_relative_to(one) for one in but):
            hits = canaries_in(file.read_bytes()) + canaries_in(str(file.relative_to(folder)))
            if hits:
                found.append((file, hits))
    return found

"""One line of the audit log, its bytes, and how lines hang together."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from cloud.reviews.entry import ROOT
from wire.messages import Moment

Kind = Literal["gap", "altered", "broken-link", "cut-off", "beyond-end", "head-differs"]

DID: Final = re.compile(r"[a-z][a-z0-9-]{0,29}(-not-done|-cut-off)?")
"""A code for what was done."""

DETAIL: Final = re.compile(r"([a-z][a-z_-]{0,30}=[A-Za-z0-9._:/+-]{1,120}( |$))*(?<! )")
"""Facts as `key=value`, with one space between: no free text fits in."""

LONGEST_DETAIL: Final = 200


class Line(Struct, frozen=True):
    """Who did what, to which slide or account, from where."""

    number: int
    at: Moment
    who: str
    """The account; empty where nobody had signed in, and for whoever runs commands."""
    did: str
    account: str
    """The account that it was done to, if any."""
    site: str
    slide: str
    detail: str
    address: str
    before: str
    """SHA-256 of the line before; of the first, `ROOT`."""
    digest: str
    """SHA-256 of this line; over all that stands above."""


class Finding(Struct, frozen=True):
    """One thing that is not as it was written."""

    number: int
    """Of the line."""
    kind: Kind
    detail: str


class Head(Struct, frozen=True):
    """Where the log ends; kept elsewhere, it tells also a log that was written anew."""

    number: int
    digest: str


def digest(line: Line) -> str:
    """SHA-256 over the line without its digest."""
    plain = msgspec.json.encode(msgspec.structs.astuple(line)[:-1])
    return hashlib.sha256(plain).hexdigest()


def sealed(line: Line) -> Line:
    """The line with its digest."""
    return msgspec.structs.replace(line, digest=digest(line))


def examine(lines: Iterable[Line], head: Head, noted: Iterable[Head] = ()) -> Iterator[Finding]:
    """Hold each line to its bytes and to the line before.

    Args:
        lines: all, by number.
        head: where the log says that it ends.
        noted: heads that somebody wrote down elsewhere, earlier.
    """
    owed = {note.number: note.digest for note in noted if note.number > 0}
    number, before = 0, ROOT
    for line in lines:
        if line.number != number + 1:
            yield Finding(number + 1, "gap", f"line {number + 1} to {line.number - 1} are missing")
        elif line.before != before:
            yield Finding(
                line.number, "broken-link", "it was not written behind the line before it"
            )
        actual = digest(line)
        if actual != line.digest:
            yield Finding(line.number, "altered", "it is not what was written")
        if owed.pop(line.number, line.digest) != line.digest:
            yield Finding(line.number, "head-differs", "another line was noted elsewhere")
        number, before = line.number, line.digest
    if (number, before) != (head.number, head.digest):
        yield Finding(number + 1, "cut-off", f"the log says that it ends with line {head.number}")
    for missing in sorted(owed):
        yield Finding(missing, "cut-off", "this line was noted elsewhere and is not there")

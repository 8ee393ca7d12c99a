"""What of the worklist a reader asks for: from an address to the index, and back into addresses."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from cloud.index.urgency import NAMES
from cloud.index.worklist import DONE, EVERY, UNDONE, Place, State, Wanted
from wire.messages import Moment, Name
from wire.topics import NAME_PATTERN

PAGE_SIZE: Final = 50
"""Slides a page."""

STATES: Final[dict[str, tuple[str, Collection[State]]]] = {
    "waiting": ("Waiting", UNDONE),
    "open": ("Open", {"open"}),
    "in-review": ("In review", {"in review"}),
    "signed": ("Signed", {"signed"}),
    "amended": ("Amended", {"amended"}),
    "done": ("Done", DONE),
    "all": ("All", EVERY),
}
"""By the word in the address: what the page calls it, and what it is in the index."""

_NAME: Final = re.compile(NAME_PATTERN)
_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_Place: TypeAlias = tuple[Annotated[int, Meta(ge=0, le=len(NAMES) - 1)], Moment, Name, Name]


class AskedError(ValueError):
    """An address asks for what there cannot be; the message names the part of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A reader's filter; every one has an address of its own."""

    state: str = "waiting"
    site: str = ""
    rank: int | None = None
    q: str = ""
    """What the token begins with."""
    after: Place | None = None

    @classmethod
    def read(
        cls, state: str = "", site: str = "", rank: str = "", q: str = "", after: str = ""
    ) -> "Asked":
        """From the parts of an address; an empty one does not filter.

        Raises:
            AskedError: one of them is none.
        """
        if state and state not in STATES:
            raise AskedError("state")
        if site and not _NAME.fullmatch(site):
            raise AskedError("site")
        if rank and rank not in map(str, range(len(NAMES))):
            raise AskedError("rank")
        token = q.strip().removesuffix("…")  # as the page shortens it
        if token and not _TOKEN.fullmatch(token):
            raise AskedError("q")
        place = _place(after) if after else None
        return cls(state or "waiting", site, int(rank) if rank else None, token, place)

    @property
    def wanted(self) -> Wanted:
        """For the index."""
        _, states = STATES[self.state]
        return Wanted(states, self.site or None, self.rank, self.q, self.after, PAGE_SIZE)

    @property
    def filtered(self) -> bool:
        """Whether anything is left out beside what is done."""
        narrowed = bool(self.site or self.q) or self.rank is not None
        return narrowed or self.state not in ("waiting", "all")

    def query(self, **changes: object) -> str:
        """Of an address with these changes; any but of the page itself begins at its first page.

        >>> Asked().query()
        ''
        >>> Asked(site="lab").query(state="all")
        '?state=all&site=lab'
        """
        other = replace(self, **({"after": None} | changes))  # type: ignore[arg-type]  # by name
        parts = {
            "state": "" if other.state == "waiting" else other.state,
            "site": other.site,
            "rank": "" if other.rank is None else str(other.rank),
            "q": other.q,
            "after": "" if other.after is None else _written(other.after),
        }
        asked = urlencode({name: value for name, value in parts.items() if value})
        return f"?{asked}" if asked else ""


def _written(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(tuple(place))).decode().rstrip("=")


def _place(text: str) -> Place:
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        rank, since, site, slide = msgspec.json.decode(data, type=_Place)
        return Place(rank, since.astimezone(UTC), site, slide)
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        raise AskedError("after") from error

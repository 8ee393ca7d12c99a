"""The worklist: slides by urgency, then by how long they have waited; filtered and paged."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import sqlalchemy as sa

from cloud.index.index import Index
from cloud.index.tables import COUNTS, slides
from cloud.index.urgency import NAMES
from wire.words import Label

State: TypeAlias = Literal["open", "in review", "signed", "amended"]

UNDONE: Final[frozenset[State]] = frozenset({"open", "in review"})
"""All that waits: with these a page shows also signed slides to which fields have come since."""
EVERY: Final[frozenset[State]] = frozenset(get_args(State))
DONE: Final[frozenset[State]] = EVERY - UNDONE
"""All that does not wait: a page shows each slide either among these or among the undone."""
MAX_PAGE: Final = 500
_RARE: Final = 4
"""Signs of a token that few others begin with. With fewer, the list's own order finds a page soon,
while the index of tokens would bring a large share of all slides to be sorted."""


class Place(NamedTuple):
    """Where a page ended: the next one begins behind it, whatever has come in between."""

    rank: int
    waiting_since: datetime
    site: str
    slide: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the worklist is asked for."""

    states: Collection[State] = UNDONE
    """Just these, but for `UNDONE` and `DONE`, which see."""
    site: str | None = None
    rank: int | None = None
    """Only this urgency, see `cloud.index.urgency`."""
    token: str = ""
    """Only slides whose token begins so; upper and lower case differ."""
    after: Place | None = None
    size: int = 50
    """Slides a page, 1 to 500."""


@dataclass(frozen=True, slots=True)
class Slide:
    """A line of the worklist."""

    site: str
    slide: str
    state: State
    rank: int
    urgency: str
    """The rank in words."""
    waiting_since: datetime
    """The first capture of the slide; it waits until it is signed."""
    done: bool
    """Signed, and no field has come since."""
    fields: int
    later_fields: int
    """Those that came after the signature: in no report until somebody amends."""
    cells: int
    counts: dict[Label, int]
    blasts_per_100: float | None
    blasts_interval: tuple[float, float] | None
    updated_at: datetime

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.rank, self.waiting_since, self.site, self.slide)

    def waited_s(self, now: datetime | None = None) -> float:
        """How long it has waited, in seconds; a station's clock may be ahead: never below 0."""
        return max(0.0, ((now or datetime.now(UTC)) - self.waiting_since).total_seconds())


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the worklist."""

    slides: list[Slide]
    after: Place | None
    """Ask on with this; None where the list ends."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many slides there are of each state and, of those not done, of each urgency."""

    states: dict[State, int] = field(default_factory=dict)
    undone: dict[int, int] = field(default_factory=dict)


def page(index: Index, wanted: Wanted) -> Page:
    """Read a page of the worklist.

    Raises:
        ValueError: the page's size is none.
    """
    if not 1 <= wanted.size <= MAX_PAGE:
        raise ValueError(f"a page of {wanted.size} slides: ask for 1 to {MAX_PAGE}")
    order = (slides.c.rank, slides.c.waiting_since, slides.c.site, slides.c.slide)
    query = sa.select(slides).where(*_conditions(wanted)).order_by(*order).limit(wanted.size + 1)
    with index.engine.connect() as connection:
        found = [_slide(row) for row in connection.execute(query)]
    more = len(found) > wanted.size
    shown = found[: wanted.size]
    return Page(shown, shown[-1].place if more else None)


def totals(index: Index) -> Totals:
    """Count the whole worklist."""
    by = (slides.c.state, slides.c.rank, slides.c.done)
    query = sa.select(*by, sa.func.count()).group_by(*by)
    found = Totals(dict.fromkeys(get_args(State), 0), dict.fromkeys(range(len(NAMES)), 0))
    with index.engine.connect() as connection:
        for state, rank, done, count in connection.execute(query):
            found.states[state] += count
            if not done:
                found.undone[rank] += count
    return found


def one(index: Index, site: str, slide: str) -> Slide | None:
    """The line of one slide; None where there is none."""
    query = sa.select(slides).where(slides.c.site == site, slides.c.slide == slide)
    with index.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _slide(row)


def sites(index: Index) -> list[str]:
    """Every site that has a slide, in order: one step through the index for each."""
    found: list[str] = []
    with index.engine.connect() as connection:
        while True:
            behind = slides.c.site > (found[-1] if found else "")
            site = connection.scalar(sa.select(sa.func.min(slides.c.site)).where(behind))
            if site is None:
                return found
            found.append(site)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = _of_states(frozenset(wanted.states))
    if wanted.site is not None:
        # An expression, for which no index is taken: of the one site of a laboratory that would
        # bring every slide to be sorted, where the list's own order finds a page soon.
        conditions.append(slides.c.site.concat("") == wanted.site)
    if wanted.rank is not None:
        conditions.append(slides.c.rank == wanted.rank)
    if wanted.token:
        # A range, which an index answers; LIKE ignores case in SQLite and has signs of its own.
        token: sa.ColumnElement[str] = slides.c.slide
        if len(wanted.token) < _RARE:
            token = token.concat("")
        conditions.append(token >= wanted.token)
        conditions.append(token < wanted.token + "\x7f")  # behind all that a token has
    if wanted.after is not None:
        here = sa.tuple_(slides.c.rank, slides.c.waiting_since, slides.c.site, slides.c.slide)
        conditions.append(here > sa.tuple_(*_typed(wanted.after)))
    return conditions


def _of_states(states: frozenset[State]) -> list[sa.ColumnElement[bool]]:
    """Each in the form that has an index of its own."""
    if states == EVERY:
        return []
    if states == UNDONE:
        return [slides.c.done == sa.false()]
    if states == DONE:
        return [slides.c.done == sa.true()]
    if len(states) == 1:
        return [slides.c.state == next(iter(states))]
    return [slides.c.state.in_(sorted(states))]


def _typed(place: Place) -> list[sa.BindParameter[object]]:
    return [
        sa.literal(value, slides.c[name].type)
        for name, value in zip(Place._fields, place, strict=True)
    ]


def _slide(row: sa.Row[tuple[object, ...]]) -> Slide:
    plain = row._mapping  # noqa: SLF001  # SQLAlchemy's public way to the names, despite its look
    low, high = plain["blasts_low"], plain["blasts_high"]
    return Slide(
        site=plain["site"],
        slide=plain["slide"],
        state=plain["state"],
        rank=plain["rank"],
        urgency=NAMES[plain["rank"]],
        waiting_since=plain["waiting_since"],
        done=plain["done"],
        fields=plain["fields"],
        later_fields=plain["later_fields"],
        cells=plain["cells"],
        counts={label: plain[name] for label, name in zip(get_args(Label), COUNTS, strict=True)},
        blasts_per_100=plain["blasts_per_100"],
        blasts_interval=None if low is None else (low, high),
        updated_at=plain["updated_at"],
    )

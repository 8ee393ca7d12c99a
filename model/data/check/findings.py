"""What a check of data finds: plain facts, which become text, JSON or a picture."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Count:
    """Cells of one class from one source."""

    source: str
    label: str
    cells: int
    groups: int


@dataclass(frozen=True)
class Look:
    """Size and colour of the pictures of one source."""

    source: str
    pictures: int
    sizes: dict[str, int]
    """Pictures of each size, such as 360×363; the commonest first."""
    mean: tuple[float, float, float]
    """Red, green and blue, 0 to 255, over pictures."""
    spread: tuple[float, float, float]
    """Standard deviation of the pictures' means."""
    contrast: float
    """Mean over pictures of the standard deviation inside them, 0 to 255."""


@dataclass(frozen=True)
class Twin:
    """Two pictures or cells that are the same, or nearly."""

    one: str
    other: str
    exact: bool
    """The same file; else nearly the same cell."""
    across_classes: bool
    across_groups: bool
    across_split: bool
    """One is learned from and the other measured on, after the split has kept twins together."""


@dataclass(frozen=True)
class Trace:
    """Metadata that could tell who a picture is of. Never its value."""

    source: str
    name: str
    """Of the tag, or what the file's name looks like."""
    pictures: int
    identifying: bool
    """Whether such a tag is known to carry names, dates, places or numbers of people."""


@dataclass(frozen=True)
class Probe:
    """How well a linear model guesses the class from a border of three pixels."""

    source: str
    """`pooled` is all sources together."""
    balanced_accuracy: float
    low: float
    high: float
    """95 %, over groups."""
    chance: float
    cells: int
    groups: int


@dataclass(frozen=True)
class Findings:
    """All of it."""

    data: list[str]
    """As typed."""
    split: str
    counts: list[Count]
    parts: dict[str, int]
    """Cells of each part of the split."""
    crossings: str
    """What lies on two sides of the split, in words."""
    unreadable: list[str]
    looks: list[Look]
    twins: list[Twin]
    traces: list[Trace]
    probes: list[Probe]
    class_follows_source: float
    """Cramér's V of class and source, 0 to 1; 0 with one source or class."""
    notes: list[str] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    """What makes figures from these data suspect, in sentences."""

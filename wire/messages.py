"""The messages, as msgspec Structs.

`Frame` travels as MessagePack with the raw JPEG inside; everything that people or other
systems read is JSON. `wire.codec` writes and reads both. All meaning is in the payload, so MQTT 5
and 3.1.1 carry the same. A reader ignores fields it does not know and refuses a
`schema` it does not know (see docs/decisions/002).
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.limits import MAX_CELLS, MAX_IMAGE_BYTES, SCHEMA
from wire.topics import NAME_PATTERN
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE, Label

CaptureId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)",
        description="UUIDv7 of one press of capture",
    ),
]
Name = Annotated[str, Meta(pattern=NAME_PATTERN, description="may stand in a topic")]
Sha256 = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256, lower-case hex")
]
CorrelationId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="chosen by the sender, unique to one order; never anything of a patient",
    ),
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset, UTC")]
Pixels = Annotated[int, Meta(ge=0, le=65_535)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Finite = Annotated[float, Meta(ge=-1e300, le=1e300, description="not infinite, not NaN")]
"""MessagePack carries NaN and infinity, JSON does not: one of them in a frame would make a result
that no reader accepts."""
Milliseconds = Annotated[float, Meta(ge=0)]


class Box(Struct, frozen=True, array_like=True):
    """A white cell's bounding box in pixels of the sent image: left, top, width, height."""

    x: Pixels
    y: Pixels
    w: Annotated[int, Meta(ge=1, le=65_535)]
    h: Annotated[int, Meta(ge=1, le=65_535)]


class Quality(Struct, frozen=True):
    """What the station measured of the field before it encoded it (see `imaging.quality`)."""

    focus: Finite
    brightness: Fraction
    clipped: Fraction
    cast: Finite
    tissue: Fraction


class Exposed(Struct, frozen=True, kw_only=True):
    """How the camera took a field, as far as it says; all held still over a slide."""

    exposure_us: Finite | None = None
    """Exposure time in microseconds."""
    analogue_gain: Finite | None = None
    digital_gain: Finite | None = None
    colour_gain_red: Finite | None = None
    colour_gain_blue: Finite | None = None
    lux: Finite | None = None
    """The camera's estimate of the light, in lux."""


class Frame(Struct, frozen=True, kw_only=True):
    """One captured field on its way to the cloud. MessagePack; topic `…/{device}/frames`."""

    schema: int = SCHEMA
    capture_id: CaptureId
    site: Name
    device: Name
    slide: Name
    captured_at: Moment
    width: Annotated[int, Meta(ge=1, le=65_535)]
    height: Annotated[int, Meta(ge=1, le=65_535)]
    sha256: Sha256
    image: Annotated[bytes, Meta(min_length=1, max_length=MAX_IMAGE_BYTES)]
    camera: str = ""
    quality: Quality | None = None
    finder: str = ""
    """Id of the algorithm that found `cells`; empty when nobody looked."""
    cells: Annotated[list[Box], Meta(max_length=MAX_CELLS)] | None = None
    """White cells found at the station; None when nobody looked, and then the cloud does."""
    exposed: Exposed | None = None
    """None from a camera that says nothing of it, such as most on USB."""


class ModelRef(Struct, frozen=True):
    """Which model made a suggestion: its name, version and the SHA-256 of its bundle."""

    name: str
    version: str
    sha256: Sha256


class CellResult(Struct, frozen=True):
    """One white cell of a field: where it is and what it is suggested to be."""

    box: Box
    label: Label
    probability: Fraction
    """Of the likeliest class, also where the label is `unidentified`."""
    probabilities: dict[str, Fraction]
    real: Fraction
    """The discriminator's belief that the cell looks like the images it was trained on."""


class FrameTimings(Struct, frozen=True):
    """Where the worker's time went, in milliseconds of wall time."""

    decode: Milliseconds
    find: Milliseconds
    classify: Milliseconds


class FrameResult(Struct, frozen=True, kw_only=True):
    """The one result of a capture. JSON; in the store and on `…/results/{device}`."""

    schema: int = SCHEMA
    notice: str = RESEARCH_USE_ONLY
    state: Literal["preliminary"] = "preliminary"
    capture_id: CaptureId
    site: Name
    device: Name
    slide: Name
    label: Label
    explanation: str
    """Why the field has its label, in one sentence."""
    counts: dict[Label, int]
    cells: list[CellResult]
    model: ModelRef
    captured_at: Moment
    classified_at: Moment
    image_key: str
    image_sha256: Sha256
    width: int
    height: int
    quality: Quality | None
    finder: str
    timings_ms: FrameTimings


class Receipt(Struct, frozen=True, kw_only=True):
    """The cloud's answer to one frame: only this lets a frame leave the spool.

    JSON; topic `…/{device}/receipts`.
    """

    schema: int = SCHEMA
    capture_id: CaptureId | None = None
    """None where the payload was too damaged to name its capture."""
    payload_sha256: Sha256 | None = None
    """Names a refused frame by its bytes, where its capture id could not be read."""
    outcome: Literal["stored", "refused"]
    duplicate: bool = False
    """The result had been stored before; this frame changed nothing."""
    reason: str = ""
    """Code of a refusal, such as `sha256-mismatch`; see docs/refusals.md."""
    detail: str = ""
    """What was wrong, where, and what to do; one or two sentences."""
    key: str = ""
    """Object key of the result, or of the dead letter."""
    at: Moment


class DeviceStatus(Struct, frozen=True, kw_only=True):
    """A device's state. JSON, retained; topic `…/{device}/status`; also its last will."""

    schema: int = SCHEMA
    site: Name
    device: Name
    state: Literal["online", "offline", "lost"]
    """`lost` is the last will: the connection broke without a goodbye."""
    at: Moment | None = None
    """None in the last will, which is written before the loss."""
    version: str = ""
    camera: str = ""
    spool_waiting: int = 0
    spool_refused: int = 0
    disk_free_mb: int = 0
    trouble: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """An order to a device. JSON; topic `…/{device}/commands`.

    Sent again with the same correlation id it is answered again and not carried out twice.
    """

    schema: int = SCHEMA
    correlation_id: CorrelationId
    command: Annotated[str, Meta(max_length=64)]
    arguments: dict[str, str | int | float | bool] = {}
    at: Moment | None = None
    """When it was sent; a device refuses an order that is too old."""
    signature: Annotated[str, Meta(max_length=64)] = ""
    """HMAC-SHA256 with the command key (see `wire.command_key`), lower-case hex; empty where the
    device asks for none."""


class Reply(Struct, frozen=True, kw_only=True):
    """A device's answer to a command. JSON; topic `…/{device}/replies`."""

    schema: int = SCHEMA
    correlation_id: CorrelationId
    ok: bool
    reason: str = ""
    """Code of a refusal; see docs/refusals.md."""
    detail: str = ""
    result: dict[str, str | int | float | bool] = {}
    image: Annotated[bytes, Meta(max_length=MAX_IMAGE_BYTES)] | None = None
    """A JPEG, in JSON as base64: the answer to `snapshot`."""
    at: Moment


class SlideResult(Struct, frozen=True, kw_only=True):
    """The results of one slide added up. JSON, retained; topic `…/slides/{slide}`.

    While `preliminary` its figures are the machine's. `signed` or `amended`, they are those of the
    report that a reader signed last, without excluded cells, and `notice` says so.
    """

    schema: int = SCHEMA
    notice: str = RESEARCH_USE_ONLY
    state: Literal["preliminary", "signed", "amended"] = "preliminary"
    site: Name
    slide: Name
    fields: int
    cells: int
    counts: dict[Label, int]
    blasts_per_100: float | None
    """Suspected blasts per 100 identified white cells; None while there are none."""
    blasts_interval: tuple[float, float] | None
    """Exact (Clopper-Pearson) 95 % interval of `blasts_per_100`."""
    updated_at: Moment


class SlideReview(Struct, frozen=True, kw_only=True):
    """A reader has signed a slide's report, or an amendment of it. JSON; `…/reviews/{slide}`."""

    schema: int = SCHEMA
    notice: str = SIGNED_NOTICE
    site: Name
    slide: Name
    state: Literal["signed", "amended"]
    number: Annotated[int, Meta(ge=1)]
    """Place of the entry in the slide's chain of reviews."""
    entry_sha256: Sha256
    reader: str
    reason: str = ""
    """Of an amendment."""
    at: Moment
    fields: int
    counts: dict[Label, int]
    """By the reader, without the excluded cells."""
    excluded: int
    machine_counts: dict[Label, int]
    blasts_per_100: float | None
    """Blasts per 100 identified white cells, by the reader; None while there are none."""
    blasts_interval: tuple[float, float] | None
    """Exact (Clopper-Pearson) 95 % interval of `blasts_per_100`."""
    models: list[Sha256]
    """Bundles that suggested what the reader saw."""


class ModelAnnouncement(Struct, frozen=True, kw_only=True):
    """What a worker made of a model bundle: it is live there, or was refused.

    JSON, retained; topic `…/models`.
    """

    schema: int = SCHEMA
    notice: str = RESEARCH_USE_ONLY
    worker: str
    """Its name in its settings."""
    outcome: Literal["live", "refused"]
    name: str
    """Of the model in the registry, or of the bundle where no registry is followed."""
    version: str
    """Empty where a refused pointer could not be read."""
    sha256: Sha256 | None
    """Of the bundle; None where a refused pointer could not be read."""
    reason: str = ""
    """Why it was refused, or why it is live though nobody promoted it."""
    live: ModelRef
    """What classifies from `at` on; results name it."""
    at: Moment

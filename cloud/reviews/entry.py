"""One link of a slide's chain, and its bytes in the bucket."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from wire.limits import SCHEMA
from wire.messages import FrameResult, Moment, Name, Sha256
from wire.words import RESEARCH_USE_ONLY, Label

FieldName: TypeAlias = str
"""`device/capture id`."""
CellName: TypeAlias = str
"""`device/capture id/place in the result's list of cells`."""
ReaderLabel = Literal["ALL", "AML", "Normal", "unidentified", "excluded"]
"""What a reader may call a cell; `excluded` is none, or not fit to be counted."""
Text = Annotated[str, Meta(max_length=2000)]
Cells = Annotated[list[CellName], Meta(min_length=1, max_length=20_000)]


class See(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="see"):
    """The reader has looked at these cells and leaves them as they are."""

    cells: Cells


class Reclassify(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="reclassify"):
    """The reader calls these cells so; that is seeing them, too."""

    cells: Cells
    label: ReaderLabel


class Comment(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="comment"):
    """A remark, on cells or on the slide. Never anything of a patient."""

    text: Text
    cells: list[CellName] = []


class Waive(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="waive"):
    """The unidentified cells of the slide's present fields may stay so."""

    reason: Text


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: the differential by machine and by reader."""

    machine: dict[Label, int]
    reader: dict[Label, int]
    """Without the excluded cells."""
    excluded: int
    blasts_per_100: float | None
    """Of the reader's identified cells."""
    blasts_interval: tuple[float, float] | None


class Propose(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="propose"):
    """The first of two readers answers for the report; it is signed when another one does, too."""

    report: Report


class Sign(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="sign"):
    """The reader answers for the report; behind a proposal that stands, as its second reader."""

    report: Report


class Amend(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="amend"):
    """After signing: what changes, why, and the report as it is then; signed at once."""

    reason: Text
    changes: list[Reclassify]
    seen: list[CellName]
    waive: Text
    """Why unidentified cells may stay so; empty where none are left, or all were waived before."""
    report: Report


Action: TypeAlias = See | Reclassify | Comment | Waive | Propose | Sign | Amend


class Basis(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields that the action is about, by their images and models.

    Of cells: their fields. Of all else: every field of the slide. Who waives, proposes, signs or
    amends had these on the screen; a comment on the slide is about those stored when it was
    written.
    """

    fields: list[FieldName]
    images: Sha256
    """Over a line `name image-sha256` for each field, in order; of no field, of nothing."""
    models: list[Sha256]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One link."""

    schema: int = SCHEMA
    notice: str = RESEARCH_USE_ONLY
    """`SIGNED_NOTICE` where a reader signs."""
    site: Name
    slide: Name
    number: Annotated[int, Meta(ge=1)]
    before: Sha256
    """SHA-256 of the bytes of the link before; of the first, `ROOT`."""
    reader: Annotated[str, Meta(min_length=1, max_length=64)]
    at: Moment
    basis: Basis
    action: Action


class Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as it lies in the bucket."""

    entry: msgspec.Raw
    key: Sha256
    """Fingerprint of the key that signed."""
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]
    """Ed25519 over the very bytes of `entry`, lower-case hex."""


ROOT: Final = "0" * 64


class EntryError(ValueError):
    """Bytes that are no entry as this program writes them."""


def field_name(result: FrameResult) -> FieldName:
    """Name of a result's field."""
    return f"{result.device}/{result.capture_id}"


def field_of(cell: CellName) -> FieldName:
    """The field of a cell."""
    return cell.rpartition("/")[0]


def cell_names(result: FrameResult) -> list[CellName]:
    """Names of a result's cells, in order."""
    return [f"{field_name(result)}/{n}" for n in range(len(result.cells))]


def basis(results: Iterable[FrameResult]) -> Basis:
    """Of these fields."""
    ordered = sorted(results, key=field_name)
    lines = "".join(f"{field_name(result)} {result.image_sha256}\n" for result in ordered)
    return Basis(
        [field_name(result) for result in ordered],
        digest(lines.encode()),
        sorted({result.model.sha256 for result in ordered}),
    )


def digest(data: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def drawn_digest(amend: Amend) -> str:
    """Of all that an amendment is, but for its reason: what a reader has who is shown it."""
    return digest(msgspec.json.encode(msgspec.structs.replace(amend, reason="")))


def read(data: bytes) -> tuple[Signed, Entry]:
    """Take bytes of the bucket apart; only in the one form that this program writes.

    Raises:
        EntryError: they are anything else.
    """
    try:
        signed = msgspec.json.decode(data, type=Signed)
        entry = msgspec.json.decode(signed.entry, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(f"is no entry ({error})") from error
    if entry.schema != SCHEMA:
        raise EntryError(f"has schema {entry.schema}, this program speaks {SCHEMA}")
    if msgspec.json.encode(signed) != data or msgspec.json.encode(entry) != bytes(signed.entry):
        raise EntryError("is not in the form in which entries are written")
    return signed, entry

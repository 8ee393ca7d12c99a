"""From a stored result to its rows, and back."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias, get_args

import msgspec
from sqlalchemy.engine import RowMapping

from cloud.index.tables import COUNTS
from wire.messages import Box, CellResult, FrameResult, FrameTimings, ModelRef, Quality
from wire.words import Label

Row: TypeAlias = dict[str, Any]


class SlideKey(NamedTuple):
    """Which slide."""

    site: str
    slide: str


def field_row(result: FrameResult) -> Row:
    """The row of a field."""
    found = Counter(cell.label for cell in result.cells)
    counts = {column: found[label] for column, label in zip(COUNTS, get_args(Label), strict=True)}
    return {
        "site": result.site,
        "device": result.device,
        "capture_id": result.capture_id,
        "slide": result.slide,
        "notice": result.notice,
        "label": result.label,
        "explanation": result.explanation,
        "counts": result.counts,
        "captured_at": result.captured_at,
        "classified_at": result.classified_at,
        "image_key": result.image_key,
        "image_sha256": result.image_sha256,
        "width": result.width,
        "height": result.height,
        "model": result.model.name,
        "model_version": result.model.version,
        "model_sha256": result.model.sha256,
        "finder": result.finder,
        "quality": None if result.quality is None else msgspec.to_builtins(result.quality),
        "timings_ms": {
            name: float(ms) for name, ms in msgspec.structs.asdict(result.timings_ms).items()
        },
    } | counts


def cell_rows(result: FrameResult) -> Iterator[Row]:
    """A row for each cell of a field."""
    for n, cell in enumerate(result.cells):
        yield {
            "site": result.site,
            "device": result.device,
            "capture_id": result.capture_id,
            "n": n,
            "slide": result.slide,
            "x": cell.box.x,
            "y": cell.box.y,
            "w": cell.box.w,
            "h": cell.box.h,
            "label": cell.label,
            "probability": cell.probability,
            "probabilities": cell.probabilities,
            "real": cell.real,
        }


def read_field(row: RowMapping, cells: list[CellResult]) -> FrameResult:
    """The result again that a field's row was made of."""
    quality = row["quality"]
    return FrameResult(
        notice=row["notice"],
        capture_id=row["capture_id"],
        site=row["site"],
        device=row["device"],
        slide=row["slide"],
        label=row["label"],
        explanation=row["explanation"],
        counts=row["counts"],
        cells=cells,
        model=ModelRef(row["model"], row["model_version"], row["model_sha256"]),
        captured_at=row["captured_at"],
        classified_at=row["classified_at"],
        image_key=row["image_key"],
        image_sha256=row["image_sha256"],
        width=row["width"],
        height=row["height"],
        quality=None if quality is None else msgspec.convert(quality, Quality),
        finder=row["finder"],
        timings_ms=msgspec.convert(row["timings_ms"], FrameTimings),
    )


def read_cell(row: RowMapping) -> CellResult:
    """The cell again that a row was made of."""
    return CellResult(
        Box(row["x"], row["y"], row["w"], row["h"]),
        row["label"],
        row["probability"],
        row["probabilities"],
        row["real"],
    )

"""From a stored result to its rows."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias, get_args

import msgspec

from cloud.index.tables import COUNTS
from wire.messages import FrameResult
from wire.words import Label

Row: TypeAlias = dict[str, Any]


def field_row(result: FrameResult) -> Row:
    """The row of a field."""
    found = Counter(cell.label for cell in result.cells)
    counts = {column: found[label] for column, label in zip(COUNTS, get_args(Label), strict=True)}
    return {
        "site": result.site,
        "device": result.device,
        "capture_id": result.capture_id,
        "slide": result.slide,
        "label": result.label,
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

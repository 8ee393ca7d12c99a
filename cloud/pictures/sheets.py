"""All cells of a field, as pictures. Pure CPU, for a thread."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cloud.pictures.cut import SIDE, cut_jpegs
from cloud.pictures.heat import Activation, draw
from cloud.pictures.pictured import Field
from cloud.pictures.problem import PictureError
from imaging.crop import cut_cells
from imaging.decode import decode
from imaging.decode_error import DecodeError
from imaging.types import Cells

if TYPE_CHECKING:  # it brings onnxruntime, which most who look at pictures never need
    from cloud.classifier import Classifier

_AT_ONCE: Final = 64
"""Cells: so many take some 60 MB inside the network."""


def cells(jpeg: bytes, field: Field) -> list[bytes]:
    """A JPEG of each cell.

    Raises:
        PictureError: `picture-unreadable`.
    """
    try:
        return cut_jpegs(decode(jpeg), field.boxes)
    except (DecodeError, ValueError) as error:
        raise _unreadable(error) from error


def maps(jpeg: bytes, field: Field, maker: "Classifier") -> list[bytes]:
    """A PNG of each cell's class-activation map, of its likeliest class.

    Args:
        jpeg: the field.
        field: where its cells are, and what they are suggested to be.
        maker: the model that made the suggestions.

    Raises:
        PictureError: `picture-unreadable` or `map-missing`.
    """
    try:
        cut = cut_cells(decode(jpeg), field.boxes, *maker.input_size)
    except (DecodeError, ValueError) as error:
        raise _unreadable(error) from error
    labels: list[str] = [*maker.manifest.labels]
    try:
        return [
            draw(activation, labels.index(likely), SIDE)
            for activation, likely in zip(_activations(maker, cut), field.likely, strict=True)
        ]
    except ValueError as error:  # also BundleError: the graph gives no maps
        raise PictureError(
            "map-missing", f"What the model looked at cannot be drawn: {error}."
        ) from error


def _activations(maker: "Classifier", cut: Cells) -> Iterator[Activation]:
    for start in range(0, len(cut), _AT_ONCE):
        yield from maker.activations(cut[start : start + _AT_ONCE])


def _unreadable(error: Exception) -> PictureError:
    return PictureError("picture-unreadable", f"The field's picture cannot be used: {error}.")

"""All cells of a field, as pictures. Pure CPU, for a thread."""

from typing import TYPE_CHECKING

from cloud.pictures.cut import SIDE, cut_jpegs
from cloud.pictures.heat import draw
from cloud.pictures.pictured import Field
from cloud.pictures.problem import PictureError
from imaging.crop import cut_cells
from imaging.decode import decode
from imaging.decode_error import DecodeError

if TYPE_CHECKING:  # it brings onnxruntime, which most who look at pictures never need
    from cloud.classifier import Classifier


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
            for activation, likely in zip(maker.activations(cut), field.likely, strict=True)
        ]
    except ValueError as error:  # also BundleError: the graph gives no maps
        raise PictureError(
            "map-missing", f"What the model looked at cannot be drawn: {error}."
        ) from error


def _unreadable(error: Exception) -> PictureError:
    return PictureError("picture-unreadable", f"The field's picture cannot be used: {error}.")

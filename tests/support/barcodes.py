"""Barcodes on a field, as a label under the microscope would look."""

import cv2
import numpy as np
import zxingcpp

from edge.cameras.base import Shot
from edge.cameras.simulator import SimulatorCamera
from imaging.types import Image


def barcode(text: str | bytes, kind: str, scale: int = 3) -> Image:
    """A clean code with its quiet zone: `Code128`, `DataMatrix`, `QRCode`, …

    Args:
        text: what it says.
        kind: a name of zxingcpp.BarcodeFormat.
        scale: pixels of its narrowest bar.
    """
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    return cv2.cvtColor(np.array(code.to_image(scale=scale)), cv2.COLOR_GRAY2RGB)


def on_field(
    field: Image, code: Image, degrees: float = 0.0, blur: float = 0.0, at: tuple[int, int] = (0, 0)
) -> Image:
    """The field with a code laid over its middle, turned and blurred as a whole.

    Args:
        field: uint8, H×W×3, RGB; stays as it is.
        code: uint8, h×w×3.
        degrees: counter-clockwise.
        blur: standard deviation of a Gaussian, in pixels.
        at: the code's centre, in pixels right of and below the field's.
    """
    rows, columns = field.shape[:2]
    height, width = code.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += columns / 2 + at[0] - width / 2, rows / 2 + at[1] - height / 2
    laid = cv2.warpAffine(code, turn, (columns, rows), flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(np.full((height, width), 255, np.uint8), turn, (columns, rows))
    picture = np.where(cover[..., None] > 127, laid, field).astype(np.uint8)
    return picture if not blur else cv2.GaussianBlur(picture, (0, 0), blur)


class LabelledField:
    """A camera that sees a field fit to be captured, a label's code in its middle.

    Args:
        text: what the code says.
        kind: a name of zxingcpp.BarcodeFormat.
    """

    name = "labelled"

    def __init__(self, text: str | bytes, kind: str = "QRCode") -> None:
        self.field = SimulatorCamera(7, "ALL").capture().image
        self.image = on_field(self.field, barcode(text, kind, 4))

    def take_away(self) -> None:
        """The label; the field stays."""
        self.image = self.field

    def capture(self) -> Shot:
        return Shot(self.image)

    def close(self) -> None:
        pass

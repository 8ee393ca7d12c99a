"""No label leaves the station as a picture: what would travel is looked through for a code."""

from edge.barcode import holds_code
from edge.refusal import CaptureRefused
from imaging.types import Image


def check_no_label(image: Image) -> None:
    """Refuse a picture that shows a barcode, and so most likely a patient's number or name.

    What the code says is neither told nor kept. A label without a code is not recognised.

    Args:
        image: uint8, H×W×3, RGB.

    Raises:
        CaptureRefused: `label-in-view`.
    """
    if holds_code(image):
        raise CaptureRefused(
            "label-in-view",
            "A barcode is in view: a label must not leave the station as a picture.",
            "Take the label out of view, and bring the smear under the lens.",
        )

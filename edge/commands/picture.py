"""A snapshot small enough for a reply."""

import cv2
import numpy as np

from edge.refusal import CaptureRefused
from imaging.encode import EncodeError, encode_within


def within(jpeg: bytes, budget: int) -> bytes:
    """The picture, encoded anew when it has more than `budget` bytes.

    Raises:
        CaptureRefused: `snapshot-too-large`: it fits at no size.
    """
    if len(jpeg) <= budget:
        return jpeg
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("the desk's snapshot is no JPEG")
    try:
        return encode_within(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)), budget).data
    except EncodeError as error:
        raise CaptureRefused(
            "snapshot-too-large",
            f"No picture of {budget} bytes can be made of the view.",
            "Raise broker.max_payload_bytes in the station's settings, and the broker's limit.",
        ) from error

"""Reads one frame: from its payload to the result that will be stored. Pure CPU, no waiting."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cloud.classifier import Classifier, Suggestion
from cloud.labels import count, label_field
from cloud.refusal import Refusal
from cloud.stores import keys
from imaging import box as imaging_box
from imaging.cells import FINDER_ID, find_white_cells
from imaging.crop import cut_cells
from imaging.decode import DecodeError, decode
from imaging.types import Image
from wire import messages
from wire.codec import MessageError, decode_frame, encode
from wire.messages import CellResult, Frame, FrameResult, FrameTimings
from wire.topics import DeviceTopic


@dataclass(frozen=True, slots=True)
class Reading:
    """A frame that has been read: what to store and what to publish."""

    result: FrameResult
    published: bytes
    """The result as compact JSON."""
    stored: bytes
    """The same, indented for people."""
    image: bytes


def read_frame(payload: bytes, sender: DeviceTopic, classifier: Classifier) -> Reading:
    """Decode, find the cells where the station did not, classify.

    Raises:
        Refusal: the payload is no frame, not the sender's, or its image cannot be used.
    """
    frame = _frame(payload, sender)
    started = time.perf_counter()
    image = _image(frame)
    decoded = time.perf_counter()
    finder, boxes = _boxes(frame, image)
    found = time.perf_counter()
    suggestions = classifier.classify(cut_cells(image, boxes, *classifier.input_size))
    classified = time.perf_counter()
    timings = FrameTimings(_ms(started, decoded), _ms(decoded, found), _ms(found, classified))
    result = _result(frame, classifier, finder, boxes, suggestions, timings)
    published = encode(result)
    return Reading(result, published, for_people(published), frame.image)


def for_people(message: bytes) -> bytes:
    """JSON, indented."""
    return msgspec.json.format(message, indent=2) + b"\n"


def _frame(payload: bytes, sender: DeviceTopic) -> Frame:
    try:
        frame = decode_frame(payload)
    except MessageError as error:
        raise Refusal(error.reason, str(error), error.capture_id) from error
    if (frame.site, frame.device) != (sender.site, sender.device):
        raise Refusal(
            "topic-mismatch",
            f"the frame says {frame.site}/{frame.device}, its topic {sender.site}/{sender.device}: "
            "check site and device in the station's settings",
            frame.capture_id,
        )
    return frame


def _image(frame: Frame) -> Image:
    try:
        image = decode(frame.image, sha256=frame.sha256)
    except DecodeError as error:
        raise Refusal(error.reason, str(error), frame.capture_id) from error
    height, width = image.shape[:2]
    if (width, height) != (frame.width, frame.height):
        raise Refusal(
            "message-invalid",
            f"the frame says {frame.width}×{frame.height} pixels, its image has {width}×{height}: "
            "capture the field again",
            frame.capture_id,
        )
    return image


def _boxes(frame: Frame, image: Image) -> tuple[str, list[imaging_box.Box]]:
    if frame.cells is None:
        return FINDER_ID, find_white_cells(image)
    for box in frame.cells:
        if box.x + box.w > frame.width or box.y + box.h > frame.height:
            raise Refusal(
                "cell-outside-image",
                f"the cell at {box.x},{box.y} ({box.w}×{box.h}) passes the edge of the image of "
                f"{frame.width}×{frame.height} pixels: update the station",
                frame.capture_id,
            )
    return frame.finder, [imaging_box.Box(b.x, b.y, b.w, b.h) for b in frame.cells]


def _result(
    frame: Frame,
    classifier: Classifier,
    finder: str,
    boxes: Sequence[imaging_box.Box],
    suggestions: Sequence[Suggestion],
    timings: FrameTimings,
) -> FrameResult:
    label, explanation = label_field(suggestions)
    return FrameResult(
        capture_id=frame.capture_id,
        site=frame.site,
        device=frame.device,
        slide=frame.slide,
        label=label,
        explanation=explanation,
        counts=count(suggestions),
        cells=[_cell(box, s) for box, s in zip(boxes, suggestions, strict=True)],
        model=classifier.model,
        captured_at=frame.captured_at,
        classified_at=datetime.now(UTC),
        image_key=keys.frame(frame.site, frame.device, frame.capture_id, frame.sha256),
        image_sha256=frame.sha256,
        width=frame.width,
        height=frame.height,
        quality=frame.quality,
        finder=finder,
        timings_ms=timings,
    )


def _cell(box: imaging_box.Box, suggestion: Suggestion) -> CellResult:
    return CellResult(
        box=messages.Box(*box),
        label=suggestion.label,
        probability=suggestion.probability,
        probabilities=suggestion.probabilities,
        real=suggestion.real,
    )


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)

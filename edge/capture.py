"""One press of capture: picture, gate, white cells, JPEG, spool. Nothing is refused silently."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from edge.cameras.base import Camera, CameraError, CameraExhausted, Shot
from edge.identity import new_capture_id
from edge.label import check_no_label
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.spool import Spool, SpoolError, SpoolFullError
from imaging.cells import FINDER_ID, find_white_cells
from imaging.encode import Encoded, EncodeError, encode_within
from imaging.quality import Quality, judge, measure
from wire import messages
from wire.codec import MessageError, decode_frame
from wire.messages import Frame

Done = TypeVar("Done")

_log = structlog.get_logger("edge.capture")


@dataclass(frozen=True)
class Capture:
    """A capture that is saved: on disk, and on its way."""

    frame: Frame
    shot: Shot
    milliseconds: dict[str, float]
    """Wall time of each stage: `capture`, `measure`, `label`, `find`, `encode`, `save`."""


class Capturer:
    """Takes captures into the spool.

    Args:
        settings: of this station.
        camera: opened; stays the caller's to close.
        spool: opened; likewise.
    """

    def __init__(self, settings: EdgeSettings, camera: Camera, spool: Spool) -> None:
        self._settings = settings
        self._camera = camera
        self._spool = spool

    def capture(
        self, slide: str, take: Callable[[], Shot] | None = None, capture_id: str | None = None
    ) -> Capture:
        """Take one picture of a slide (its token) and save it.

        Args:
            slide: token.
            take: gives the picture; None for one of the camera.
            capture_id: one that was reserved for it by `new_capture_id`; None for a new one.

        Raises:
            CaptureRefused: the picture is unfit or cannot be saved; why, and what to do.
            CameraExhausted: a replayed folder is at its end.
        """
        watch = _Stopwatch()
        try:
            reserved = capture_id or new_capture_id()
            return self._capture(reserved, slide, take or self._camera.capture, watch)
        except CaptureRefused as refusal:
            _log.warning("capture_refused", slide=slide, reason=refusal.reason, detail=str(refusal))
            raise

    def saved(self, capture_id: str) -> int | None:
        """White cells of the capture that was saved under this id; None when none was.

        A capture that is stored already is gone from here: of its cells 0 are known.

        Raises:
            CaptureRefused: `spool-failed`.
        """
        try:
            payload = self._spool.payload(capture_id)
            if payload is not None:
                return len(decode_frame(payload).cells or ())
            return None if self._spool.ending(capture_id) is None else 0
        except (SpoolError, MessageError) as error:
            raise CaptureRefused(
                "spool-failed",
                "The spool cannot tell whether a capture was saved.",
                "Call whoever runs the station.",
                f"The spool says: {error}.",
            ) from error

    def _capture(
        self, capture_id: str, slide: str, take: Callable[[], Shot], watch: "_Stopwatch"
    ) -> Capture:
        shot = watch.time("capture", lambda: _picture(take))
        quality = watch.time("measure", lambda: _fit_quality(shot))
        watch.time("label", lambda: check_no_label(shot.image))
        boxes = watch.time("find", lambda: find_white_cells(shot.image))
        encoded = watch.time("encode", lambda: self._encode(shot))
        frame = Frame(
            capture_id=capture_id,
            site=self._settings.site,
            device=self._settings.device,
            slide=slide,
            captured_at=datetime.now(UTC),
            width=encoded.width,
            height=encoded.height,
            sha256=hashlib.sha256(encoded.data).hexdigest(),
            image=encoded.data,
            camera=self._camera.name,
            quality=_as_sent(quality),
            finder=FINDER_ID,
            cells=[_scaled(box, encoded) for box in boxes],
            exposed=_exposed(shot),
        )
        watch.time("save", lambda: self._save(frame))
        _log.info("capture_saved", capture_id=capture_id, slide=slide, cells=len(boxes))
        return Capture(frame, shot, watch.milliseconds)

    def _encode(self, shot: Shot) -> Encoded:
        try:
            return encode_within(shot.image, self._settings.image_budget_bytes)
        except EncodeError as error:
            raise CaptureRefused(
                "image-over-budget", str(error), "Raise image_budget_bytes in the settings."
            ) from error

    def _save(self, frame: Frame) -> None:
        try:
            self._spool.save(frame)
        except SpoolFullError as error:
            raise CaptureRefused(
                "disk-full",
                "Not saved: the station's disk is full. What was saved before is safe.",
                "Bring the station online so that the spool empties, or free the disk.",
                f"The spool says: {error}.",
            ) from error
        except SpoolError as error:
            raise CaptureRefused(
                "spool-failed",
                "Not saved: the spool cannot be written.",
                "Call whoever runs the station.",
                f"The spool says: {error}.",
            ) from error


def _picture(take: Callable[[], Shot]) -> Shot:
    try:
        return take()
    except CameraExhausted:
        raise
    except CameraError as error:
        raise camera_failed(error) from error


def camera_failed(error: CameraError) -> CaptureRefused:
    """The refusal that a camera's failure is."""
    return CaptureRefused(
        "camera-failed",
        "The camera gave no picture.",
        "Check the camera, then capture again.",
        f"It says: {error.told}.",
    )


def _fit_quality(shot: Shot) -> Quality:
    quality = measure(shot.image)
    if problem := judge(quality):
        raise CaptureRefused(problem.code, problem.sentence, problem.remedy)
    return quality


def _as_sent(quality: Quality) -> messages.Quality:
    return messages.Quality(
        focus=round(quality.focus, 4),
        brightness=round(quality.brightness, 4),
        clipped=round(quality.clipped, 4),
        cast=round(quality.cast, 2),
        tissue=round(quality.tissue, 4),
    )


def _exposed(shot: Shot) -> messages.Exposed | None:
    """The figures of a shot's metadata that travel; a file name or a stage's place does not."""
    told = {
        name: float(value)
        for name in messages.Exposed.__struct_fields__
        if isinstance(value := shot.metadata.get(name), int | float)
    }
    return messages.Exposed(**told) if told else None


def _scaled(box: tuple[int, int, int, int], encoded: Encoded) -> messages.Box:
    """A box of the picture in pixels of the image that is sent, and inside it."""
    x, y, w, h = (value * encoded.scale for value in box)
    left, top = max(0, round(x)), max(0, round(y))
    right = min(encoded.width, max(left + 1, round(x + w)))
    bottom = min(encoded.height, max(top + 1, round(y + h)))
    return messages.Box(left, top, right - left, bottom - top)


class _Stopwatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Done]) -> Done:
        started = time.perf_counter()
        done = work()
        self.milliseconds[stage] = round((time.perf_counter() - started) * 1000, 3)
        return done

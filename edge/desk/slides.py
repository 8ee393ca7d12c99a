"""The slide under the lens: begun by its number, its token or its barcode, and ended."""

import structlog

from edge.desk.once import Once
from edge.desk.session import OpenSlide, SlideSession
from edge.desk.state import By
from edge.identity import SlideKeyError, slide_key, slide_token
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.trouble import Troubles
from imaging.types import Image
from wire.topics import TopicError, checked_name

_log = structlog.get_logger("edge.desk")


class Slides:
    """One slide is open, or none. A busy desk neither begins nor ends one.

    From afar (`remote`) a slide is begun only where none is open, and only such a one ended.

    Args:
        settings: of the station.
        once: the desk's.
        troubles: of the station.
    """

    def __init__(self, settings: EdgeSettings, once: Once, troubles: Troubles) -> None:
        self._key_file = settings.slide_key_file
        self._session = SlideSession(settings.data_dir / "slide.json")
        self._once = once
        self._troubles = troubles

    @property
    def open(self) -> OpenSlide | None:
        """The slide under the lens."""
        return self._session.open

    def needed(self, meant: str | None = None) -> str:
        """Token of the open slide.

        Args:
            meant: the slide that has to be open; None for any.

        Raises:
            CaptureRefused: `no-slide`, `another-slide`.
        """
        if self._session.open is None:
            raise CaptureRefused(
                "no-slide", "No slide is open.", "Scan or type the slide's number first."
            )
        if meant not in {None, self._session.open.slide}:
            raise another_slide()
        return self._session.open.slide

    def begin(self, accession: str, by: By) -> str:
        """Begin the slide of this number, which is kept nowhere; returns its token.

        Raises:
            CaptureRefused: `slide-invalid`, `slide-key-unusable`, `station-busy`.
        """
        if not accession.strip():
            raise _invalid("The slide's number is empty.", "Scan or type it.")
        try:
            token = slide_token(accession, slide_key(self._key_file))
        except SlideKeyError as error:
            raise CaptureRefused(
                "slide-key-unusable",
                "The key that turns the slide's number into its token cannot be used.",
                "Call whoever runs the station: it is restored from the backup.",
                f"{error}.",
            ) from error
        return self._begin(token, by)

    def begin_token(self, token: str, by: By) -> str:
        """Begin the slide of this token.

        Raises:
            CaptureRefused: `slide-invalid`, `station-busy`, `another-slide`.
        """
        try:
            checked_name(token, "slide")
        except TopicError as error:
            raise _invalid(
                "That is no slide token.", "Send the token, never the number on the slide."
            ) from error
        return self._begin(token, by)

    def end(self, by: By, meant: str | None = None) -> None:
        """End the open slide; without one nothing happens.

        Raises:
            CaptureRefused: `station-busy`, `another-slide`, `slide-begun-here`.
        """
        with self._once.idle():
            ended = self._session.open
            if ended is not None:
                self.needed(meant)
                if by == "remote" and ended.by != "remote":
                    raise _begun_here()
                self._session.end()
                self._troubles.over("slide-not-kept")
                _log.info("slide_ended", slide=ended.slide, by=by)

    def _begin(self, token: str, by: By) -> str:
        with self._once.idle():  # a capture belongs to the slide that is open as it begins
            opened = self._session.open
            if opened is None:
                self._open(token, by)
            elif by == "remote":
                if opened.slide != token:  # nobody far away exchanges the slide under the lens
                    raise another_slide()
            elif opened.slide != token or opened.by == "remote":
                self._open(token, by)  # the station's from now on, whoever began it
        return token

    def _open(self, token: str, by: By) -> None:
        if self._session.begin(token, by):
            self._troubles.over("slide-not-kept")
        else:
            self._troubles.note(
                "slide-not-kept",
                "the open slide could not be written to the station's disk",
                remedy="Go on; after a restart the slide must be begun again. Free the disk.",
            )
        _log.info("slide_started", slide=token, by=by)


def number_in(picture: Image) -> str:
    """The one slide number whose barcode is in a picture.

    Raises:
        CaptureRefused: `no-barcode`, `two-barcodes`.
    """
    from edge.barcode import texts

    found = texts(picture)
    if not found:
        raise CaptureRefused(
            "no-barcode",
            "No barcode is to be read in the picture.",
            "Hold the label flat under the lens, or scan or type the number.",
        )
    if len(found) > 1:
        raise CaptureRefused(
            "two-barcodes",
            "There are several different barcodes in the picture.",
            "Show one label only, or scan or type the number.",
        )
    return found[0]


def _invalid(sentence: str, remedy: str) -> CaptureRefused:
    return CaptureRefused("slide-invalid", sentence, remedy)


def _begun_here() -> CaptureRefused:
    return CaptureRefused(
        "slide-begun-here",
        "The open slide was begun at the station, and is not ended from afar.",
        "Ask the technician to end it.",
    )


def another_slide() -> CaptureRefused:
    """What was asked for is not meant for the slide under the lens."""
    return CaptureRefused(
        "another-slide",
        "Another slide is open at the station.",
        "Ask the technician, or name the slide that is open.",
    )

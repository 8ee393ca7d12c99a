"""Where a code is explained: on the refusals page, reached by a link and by a phone's camera."""

import io
import re
from functools import lru_cache
from typing import Final

import segno
from markupsafe import Markup

from edge.page.settings import PageSettings
from edge.page.views import ErrorView
from edge.trouble import Trouble

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Handbook:
    """Links to docs/refusals.md: where the handbook is served, else to the page's own copy.

    Args:
        settings: of the page.
    """

    def __init__(self, settings: PageSettings) -> None:
        base = settings.address_for_others
        self._page = settings.handbook
        self._from_a_phone = self._page if settings.docs_url else f"{base}/refusals" if base else ""

    def link(self, code: str) -> str:
        """URL of a code's line."""
        return f"{self._page}#{code}"

    def svg(self, code: str) -> str:
        """The link as a QR code, an SVG; empty where a phone could not open the link."""
        if not self._from_a_phone or not _CODE.fullmatch(code):
            return ""
        return _drawn(f"{self._from_a_phone}#{code}")

    def error(self, code: str, sentence: str, remedy: str) -> ErrorView:
        """An error with its link and its QR code."""
        qr = Markup(self.svg(code))  # noqa: S704  # segno's own drawing of a checked code
        return ErrorView(code, sentence, remedy, self.link(code), qr)

    def trouble(self, trouble: Trouble) -> ErrorView:
        """A trouble with its link."""
        return ErrorView(trouble.code, trouble.sentence, trouble.remedy, self.link(trouble.code))


@lru_cache(maxsize=64)
def _drawn(url: str) -> str:
    buffer = io.BytesIO()
    segno.make(url, error="m").save(buffer, kind="svg", omitsize=True, xmldecl=False, light="#fff")
    return buffer.getvalue().decode()

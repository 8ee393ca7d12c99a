"""Where a code is explained: on the refusals page, reached by a link and by a phone's camera."""

import io
import re
from functools import lru_cache
from typing import Final

import segno

from edge.page.settings import PageSettings
from edge.page.views import ErrorView

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Handbook:
    """Links to docs/refusals.md: where the handbook is served, else to the page's own copy.

    Args:
        settings: of the page.
    """

    def __init__(self, settings: PageSettings) -> None:
        base = settings.address_for_others
        self._page = f"{settings.docs_url}refusals.html" if settings.docs_url else "/refusals"
        self._from_a_phone = self._page if settings.docs_url else f"{base}/refusals" if base else ""

    def link(self, code: str) -> str:
        """URL of a code's line."""
        return f"{self._page}#{code}"

    def qr(self, code: str) -> str:
        """URL of the link as a QR code; empty where a phone could not open the link."""
        return f"/qr/{code}.svg" if self._from_a_phone and _CODE.fullmatch(code) else ""

    def svg(self, code: str) -> str:
        """That QR code; empty where there is none."""
        return _drawn(f"{self._from_a_phone}#{code}") if self.qr(code) else ""

    def error(self, code: str, sentence: str, remedy: str) -> ErrorView:
        """An error with its link and its QR code."""
        return ErrorView(code, sentence, remedy, self.link(code), self.qr(code))


@lru_cache(maxsize=64)
def _drawn(url: str) -> str:
    buffer = io.BytesIO()
    segno.make(url, error="m").save(buffer, kind="svg", scale=4, xmldecl=False, light="#fff")
    return buffer.getvalue().decode()

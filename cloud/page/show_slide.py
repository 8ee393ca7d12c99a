"""From a slide's view to its page and its parts."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from markupsafe import Markup

from cloud.page.ended import Fate
from cloud.page.gallery import Bin
from cloud.page.parts import Parts
from cloud.page.slide_view import SlideView
from cloud.page.views import ErrorView, Viewer
from cloud.reviews.rules import ReviewRefused
from cloud.settings import CloudSettings

CLASSES: Final = (
    ("ALL", "1", "ALL"),
    ("AML", "2", "AML"),
    ("Normal", "3", "Normal"),
    ("unidentified", "4", "unid."),
    ("excluded", "x", "excl."),
)
"""Label, key, and the word where there is little room."""

_KEYS: Final[Mapping[str, str]] = {label: key for label, key, _ in CLASSES}
_HERE: Final = Markup("")
_ELSEWHERE: Final = Markup(' hx-swap-oob="true"')


class Shows:
    """Renders.

    Args:
        parts: the templates.
        settings: say where codes are explained, and whether two readers sign.
    """

    def __init__(self, parts: Parts, settings: CloudSettings) -> None:
        self._parts = parts
        self._handbook = settings.page.handbook
        self._second_reader = settings.second_reader

    def page(self, view: SlideView, viewer: Viewer) -> str:
        """The whole page."""
        notice = view.facts.notice
        return self._parts.page(
            "slide", viewer=viewer, oob=_HERE, ruo=notice, **self._context(view)
        )

    def answer(
        self,
        view: SlideView,
        *,
        said: str = "",
        refused: ReviewRefused | None = None,
        have: Collection[str] = (),
        light: bool = False,
        promise: str = "",
        fate: Fate = "",
    ) -> str:
        """The parts that an act may have changed, for a page that is open.

        Args:
            view: the slide as it is now.
            said: for ears and in passing; empty says nothing.
            refused: why something was not done; None takes away what was shown before.
            have: digests of the bins that the page has as they are.
            light: without cells and figures: nothing of them is other than the page has it.
            promise: id of an act that the page no longer waits for.
            fate: of that.
        """
        context = self._context(view)
        context |= {"said": said, "error": self._error(refused), "have": have, "light": light}
        context |= {"promise": promise, "fate": fate}
        return self._parts.part("slide/answer", oob=_ELSEWHERE, **context)

    def more(self, view: SlideView, bin_: Bin) -> str:
        """The next cells of a bin."""
        return self._parts.part(
            "slide/more-answer", oob=_ELSEWHERE, **self._context(view), bin=bin_
        )

    def _error(self, refused: ReviewRefused | None) -> ErrorView | None:
        if refused is None:
            return None
        return ErrorView(refused.reason, str(refused), "", f"{self._handbook}#{refused.reason}")

    def _context(self, view: SlideView) -> dict[str, Any]:
        return {
            "view": view,
            "base": f"/slides/{view.facts.site}/{view.facts.slide}",
            "second_reader": self._second_reader,
            "classes": CLASSES,
            "keys": _KEYS,
            "promise": "",
            "fate": "",
        }

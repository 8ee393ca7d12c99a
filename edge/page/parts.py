"""The templates: the page and its parts."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from edge.page.handbook import Handbook
from edge.page.shelf import Shelf
from edge.page.views import PARTS, Seen, StationView


class Parts:
    """Renders. Thread-safe.

    Args:
        shelf: of the static files.
        handbook: where codes are explained.
        station: which one this is.
        fresh: look for changed templates at every use, while somebody works on them.
    """

    def __init__(
        self, shelf: Shelf, handbook: Handbook, station: StationView, *, fresh: bool = False
    ) -> None:
        self._environment = Environment(
            loader=PackageLoader("edge.page"),
            autoescape=True,
            auto_reload=fresh,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            station=station, static=shelf.url, link=handbook.link, qr=handbook.qr
        )

    def part(self, name: str, seen: Seen) -> str:
        """One part, as the inside of its container."""
        return self._template(f"parts/{name}.html").render(seen.context())

    def all(self, seen: Seen) -> dict[str, str]:
        """Every part that follows the desk, by name."""
        return {name: self.part(name, seen) for name in PARTS}

    def page(self, name: str, seen: Seen, **more: object) -> str:
        """A whole page."""

        def part(of: str) -> Markup:
            return Markup(self.part(of, seen))  # noqa: S704  # our own templates, autoescaped

        context = seen.context() | {"part": part} | more
        return self._template(f"{name}.html").render(context)

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)

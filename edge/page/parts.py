"""The templates: the page and its parts."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from edge.page.views import PARTS, Seen
from wire.web.shelf import Shelf


class Parts:
    """Renders. Thread-safe.

    Args:
        shelf: of the static files.
        station: what every template may say of the station, by name.
        fresh: look for changed templates at every use, while somebody works on them.
    """

    def __init__(self, shelf: Shelf, station: dict[str, str], *, fresh: bool = False) -> None:
        self._environment = Environment(
            loader=PackageLoader("edge.page"),
            autoescape=True,
            auto_reload=fresh,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(station, static=shelf.url)

    def part(self, name: str, seen: Seen) -> str:
        """One part, as the inside of its container."""
        return self._template(f"parts/{name}.html").render(seen.context())

    def all(self, seen: Seen) -> dict[str, str]:
        """Every part by name."""
        return {name: self.part(name, seen) for name in PARTS}

    def page(self, name: str, seen: Seen, **more: object) -> str:
        """A whole page."""
        return self._template(f"{name}.html").render(seen.context() | more)

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)

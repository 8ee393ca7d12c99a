"""The templates: pages and their parts."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cloud.page.views import Viewer
from wire.web.shelf import Shelf


class Parts:
    """Renders. Thread-safe. Pages lie in templates/, parts in templates/parts/.

    Args:
        shelf: of the static files.
        common: what every template may say, by name.
        fresh: look for changed templates at every use, while somebody works on them.
    """

    def __init__(self, shelf: Shelf, common: dict[str, object], *, fresh: bool = False) -> None:
        self._environment = Environment(
            loader=PackageLoader("cloud.page"),
            autoescape=True,
            auto_reload=fresh,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(common, static=shelf.url)

    def page(self, name: str, *, viewer: Viewer, **context: object) -> str:
        """A whole page, which extends base.html."""
        return self._template(name).render(context, viewer=viewer)

    def part(self, name: str, **context: object) -> str:
        """A part of a page; what it needs of the viewer it is given by name."""
        return self._template(f"parts/{name}").render(context)

    def _template(self, name: str) -> Template:
        return self._environment.get_template(f"{name}.html")

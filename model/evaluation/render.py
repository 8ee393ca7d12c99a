"""A page written as Markdown with PNG files, and as one HTML file that needs nothing else."""

import base64
from dataclasses import dataclass
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from model.evaluation.page import Cell, Page, Picture


@dataclass(frozen=True)
class Drawn:
    """A picture as the two kinds of page take it."""

    picture: Picture
    png: bytes
    svg: str
    """Empty for photographs."""

    @property
    def data(self) -> str:
        """The PNG as text for an HTML page."""
        return base64.b64encode(self.png).decode()


def write(page: Page, figures: object, out: Path) -> None:
    """Write `report.md`, `report.html`, `report.json` and a PNG a picture.

    Args:
        page: what people read.
        figures: the same for programs: anything that msgspec encodes; NaN becomes null.
        out: folder; made if need be, reports there are replaced.
    """
    out.mkdir(parents=True, exist_ok=True)
    drawn = {id(p): _drawn(p) for section in page.sections for p in section.pictures}
    for one in drawn.values():
        (out / f"{one.picture.name}.png").write_bytes(one.png)
    for name in ("report.md", "report.html"):
        text = (
            _environment(name)
            .get_template(f"{name}.jinja")
            .render(page=page, drawn=lambda picture: drawn[id(picture)])
        )
        (out / name).write_text(text)
    encoded = msgspec.json.format(msgspec.json.encode(figures), indent=1)
    (out / "report.json").write_bytes(encoded + b"\n")


def _drawn(picture: Picture) -> Drawn:
    from model.evaluation.plots import style

    with style.styled():
        figure = picture.draw()
        return Drawn(
            picture,
            style.png(figure),
            "" if picture.photographs else style.svg(figure),
        )


def _environment(name: str) -> Environment:
    environment = Environment(  # Markdown has no markup to escape; HTML is escaped
        loader=PackageLoader("model.evaluation"),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["inline"] = _inline
    return environment


def _cell(cell: Cell | str) -> Cell:
    return Cell(cell) if isinstance(cell, str) else cell


def _inline(cell: Cell | str) -> str:
    """A cell in one line of a Markdown table."""
    one = _cell(cell)
    text = f"{one.text} ({one.detail})" if one.detail else one.text
    return text.replace("|", "\\|")

"""The page's own copy of docs/refusals.md, for stations whose handbook is served nowhere."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

_COPY: Final = Path(__file__).with_name("refusals.md")
"""Put there by the wheel's build; a working tree has the original."""

_ORIGINAL: Final = Path(__file__).parents[2] / "docs" / "refusals.md"
_ATTRIBUTES: Final = re.compile(r"\{:? ?#[\w-]+ ?\}")
"""Anchors that MkDocs makes of attribute lists; here every row is one by its code."""

_ROW: Final = re.compile(r"<tr>\s*<td>(?:<a id=\"[\w-]+\"></a>)?<code>([a-z0-9-]+)</code>")
_NOTE: Final = re.compile(r'^!!! \w+ "([^"]*)"\n((?:    .*\n)+)', re.M)


@lru_cache(maxsize=1)
def refusals_page() -> Markup:
    """The handbook's page as HTML, each code an anchor."""
    from markdown_it import MarkdownIt

    text = (_COPY if _COPY.exists() else _ORIGINAL).read_text()
    text = _NOTE.sub(lambda note: f"**{note[1]}.** {' '.join(note[2].split())}\n", text)
    html = (
        MarkdownIt("commonmark", {"html": False}).enable("table").render(_ATTRIBUTES.sub("", text))
    )
    return Markup(_ROW.sub(r'<tr id="\1"><td><code>\1</code>', html))  # noqa: S704  # our handbook

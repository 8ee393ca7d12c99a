"""A still picture with words, where there is no picture: never a broken image."""

import io
import textwrap
from functools import lru_cache
from typing import Final

SIZE: Final = (640, 480)
_GROUND, _INK = (24, 28, 32), (236, 240, 243)
_LINE_CHARACTERS: Final = 44


@lru_cache(maxsize=8)
def placeholder(sentence: str, remedy: str) -> bytes:
    """A JPEG, 640×480, that says what is wrong and what to do."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", SIZE, _GROUND)
    draw = ImageDraw.Draw(picture)
    wrapped = [textwrap.fill(text, _LINE_CHARACTERS) for text in (sentence, remedy) if text]
    draw.multiline_text(
        (SIZE[0] / 2, SIZE[1] / 2),
        "\n\n".join(wrapped),
        fill=_INK,
        font=ImageFont.load_default(24),
        anchor="mm",
        align="center",
        spacing=10,
    )
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()

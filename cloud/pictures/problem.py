"""Why a picture is not shown."""

from typing import Literal, TypeAlias

PictureCode: TypeAlias = Literal[
    "picture-unknown",
    "picture-gone",
    "picture-altered",
    "picture-unreadable",
    "model-gone",
    "map-missing",
    "store-away",
]


class PictureError(Exception):
    """A picture that cannot be shown, with a code and a sentence for the reader."""

    def __init__(self, code: PictureCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

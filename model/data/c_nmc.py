"""C-NMC 2019 (10.7937/tcia.2019.dc64i46r): lymphoblasts and normal cells, cut out on black.

The black is in every picture and is no slide: a network trained on these cells alone knows nothing
of cells on glass. `data check` shows what their borders tell.
"""

import re
from pathlib import Path
from typing import Final

from model.data.pictures import Picture, PictureSource, files
from model.errors import ModelError

NAME: Final = re.compile(r"UID_(?P<subject>H?\d+)_\d+_\d+_(?P<named>all|hem)$", re.IGNORECASE)

CLASSES: Final = {"all": ("ALL", "lymphoblast"), "hem": ("Normal", "lymphocyte")}

SAME: Final = {"H6": "H2", "H10": "H3"}
"""Healthy subjects under two numbers, whose cells are the same pictures."""


class CNmcSource(PictureSource):
    """UID_subject_picture_cell_all|hem.bmp at any depth; a subject is a group."""

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        return [self._picture(path) for path in files(self.path)]

    def notes(self) -> list[str]:
        """See `PictureSource.notes`."""
        return ["the cells of C-NMC are cut out on black: nothing of it carries over to glass"]

    def _picture(self, path: Path) -> Picture:
        found = NAME.match(path.stem)
        if not found:
            raise ModelError(
                f"{path} is not named UID_subject_picture_cell_all|hem: name the folder of the "
                "training folds, whose names tell class and subject"
            )
        named, kind = CLASSES[found["named"].lower()]
        subject = found["subject"].upper()
        return Picture(
            path=path,
            key=f"c-nmc/{path.name}",
            named=named,
            source="c-nmc",
            group=f"c-nmc/{SAME.get(subject, subject)}",
            kind=kind,
            where=f"{self.path}",
        )

"""PBC (Acevedo et al. 2020, 10.17632/snkd93bnjr.1): normal cells of healthy donors by cell type."""

from pathlib import Path
from typing import Final

from model.data.pictures import Picture, PictureSource, files
from model.errors import ModelError

TYPES: Final = frozenset(
    {"basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil",
     "platelet"}
)  # fmt: skip
"""Its folders; `ig` are immature granulocytes."""


class PbcSource(PictureSource):
    """A folder for each cell type, at any depth. Platelets are left out.

    It tells no donors: each picture is its own group.
    """

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        return [self._picture(path) for path in files(self.path)]

    def notes(self) -> list[str]:
        """See `PictureSource.notes`."""
        return ["PBC tells no donors: cells of one donor may lie on two sides of a split"]

    def _picture(self, path: Path) -> Picture:
        kind = path.parent.name.lower()
        if kind not in TYPES:
            raise ModelError(
                f"{path} lies in {path.parent.name!r}, which is no cell type of PBC: "
                f"{', '.join(sorted(TYPES))}"
            )
        key = f"pbc/{kind}/{path.name}"
        return Picture(path, key, "Normal", "pbc", key, kind, f"{self.path}")

"""Real cells named by a CSV: path, label, and where known source, group or patient, cell_type."""

import csv
from collections.abc import Iterator
from typing import Final

from model.data.finding import PORTRAIT, Field
from model.data.pictures import Picture, PictureSource
from model.errors import ModelError

NEEDED: Final = frozenset({"path", "label"})

FIELD: Final = "field"
"""`cell_type` of a picture with any number of cells."""


class IndexSource(PictureSource):
    """Pictures with one white cell in the middle, and whole fields.

    Paths are relative to the CSV. A row without a patient (column `group` or `patient`) is its
    own group, so it is split by image; without a source it is of the CSV's name.
    """

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        return [self._picture(line, row) for line, row in self._rows()]

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                if missing := NEEDED - set(reader.fieldnames or ()):
                    raise ModelError(f"{self.path} lacks the columns {', '.join(sorted(missing))}")
                for row in reader:
                    if None in row or None in row.values():
                        raise ModelError(
                            f"{self.path} line {reader.line_num} has not as many fields as the "
                            "first line has columns"
                        )
                    yield reader.line_num, row
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ModelError(f"cannot read the index {self.path}: {error}") from error

    def _picture(self, line: int, row: dict[str, str]) -> Picture:
        if not row["path"]:
            raise ModelError(f"{self.path} line {line} names no path")
        source = row.get("source") or self.path.stem
        group = row.get("group") or row.get("patient") or row["path"]
        kind = row.get("cell_type") or ""
        return Picture(
            path=self.path.parent / row["path"],
            key=row["path"],
            named=row["label"],
            source=source,
            group=f"{source}/{group}",
            kind=kind,
            where=f"{self.path} line {line}",
            find=Field() if kind == FIELD else PORTRAIT,
        )

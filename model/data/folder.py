"""A folder with a folder for each class, or a folder for each source with such folders in it."""

import re
from dataclasses import dataclass
from pathlib import Path

from model.data.pictures import Picture, PictureSource, files
from model.errors import ModelError


@dataclass(frozen=True)
class FolderSource(PictureSource):
    """DIR/class/picture or DIR/source/class/picture; one white cell in the middle of each.

    Each picture is its own group, unless `group` says which part of a file's name is the patient.
    """

    group: str = ""
    """Regular expression; its first bracket is the patient, such as `^(p[0-9]+)_`."""

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        return [self._picture(path) for path in files(self.path)]

    def notes(self) -> list[str]:
        """See `PictureSource.notes`."""
        if self.group:
            return []
        return [
            f"{self.path} tells no patients: each picture is its own group (say where the name has "
            "the patient by ?group=REGEX)"
        ]

    def _picture(self, path: Path) -> Picture:
        inside = path.relative_to(self.path)
        if len(inside.parts) not in (2, 3):
            raise ModelError(
                f"{path} lies {len(inside.parts) - 1} folders deep in {self.path}: pictures belong "
                "in DIR/class or DIR/source/class"
            )
        source = inside.parts[0] if len(inside.parts) == 3 else self.path.resolve().name
        named = inside.parts[-2]
        return Picture(
            path=path,
            key=f"{self.path.resolve().name}/{inside.as_posix()}",
            named=named,
            source=source,
            group=f"{source}/{patient(self.group, inside)}",
            kind=named,
            where=f"{self.path}",
        )


@dataclass(frozen=True)
class PicturesSource(PictureSource):
    """Pictures at any depth, none of them with a class: for `--unlabelled DIR`."""

    group: str = ""
    """As of `FolderSource`."""

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        name = self.path.resolve().name
        inside = [path.relative_to(self.path) for path in files(self.path)]
        return [
            Picture(
                path=self.path / one,
                key=f"{name}/{one.as_posix()}",
                named="",
                source=name,
                group=f"{name}/{patient(self.group, one)}",
                kind="",
                where=f"{self.path}",
            )
            for one in inside
        ]


def patient(pattern: str, inside: Path) -> str:
    """The patient in a file's name, or the file where there is no pattern.

    Raises:
        ModelError: the pattern is none, has no bracket, or does not fit the name.
    """
    if not pattern:
        return inside.as_posix()
    try:
        found = re.search(pattern, inside.name)
    except re.error as error:
        raise ModelError(f"group={pattern} is not a regular expression: {error}") from error
    if not found or not found.groups() or not found[1]:
        raise ModelError(f"group={pattern} finds no patient in the name of {inside}")
    return found[1]

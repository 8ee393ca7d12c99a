"""The codes that bundles speak in, read from one file that a site may replace."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from wire.settings import SettingsError

SHIPPED: Final = Path(__file__).with_name("codes.toml")


class CodesError(SettingsError):
    """The file of codes cannot be used; the message names what is wrong."""


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """One code, and where it comes from."""

    system: str
    code: str
    display: str
    source: str

    @property
    def coding(self) -> dict[str, Any]:
        """As a FHIR Coding."""
        return {"system": self.system, "code": self.code, "display": self.display}

    @property
    def concept(self) -> dict[str, Any]:
        """As a FHIR CodeableConcept."""
        return {"coding": [self.coding]}


class Codes(Struct, frozen=True):
    """All of them, by the names of the shipped file."""

    identifiers: Mapping[str, str]
    """Systems of identifiers."""
    codes: Mapping[str, Code]

    def __getitem__(self, name: str) -> Code:
        return self.codes[name]

    def identifier(self, name: str, value: str) -> dict[str, str]:
        """A FHIR Identifier."""
        return {"system": self.identifiers[name], "value": value}


def load_codes(file: Path | None = None) -> Codes:
    """Read a file of codes; None: the shipped one.

    Raises:
        CodesError: it cannot be read, or is not the same tables as the shipped one.
    """
    codes = _read(file or SHIPPED)
    if file is not None:
        shipped = _read(SHIPPED)
        _same(file, "table", set(shipped.codes), set(codes.codes))
        _same(file, "identifier", set(shipped.identifiers), set(codes.identifiers))
    return codes


def _read(file: Path) -> Codes:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        identifiers = msgspec.convert(tables.pop("identifiers", {}), dict[str, str])
        return Codes(identifiers, msgspec.convert(tables, dict[str, Code]))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CodesError(f"the codes in {file} cannot be used: {error}") from error


def _same(file: Path, what: str, wanted: set[str], found: set[str]) -> None:
    for names, sentence in ((wanted - found, "lacks"), (found - wanted, "has an unknown")):
        if names:
            raise CodesError(f"{file} {sentence} {what} {', '.join(sorted(names))}")

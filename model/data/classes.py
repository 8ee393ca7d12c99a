"""From the names that a source gives its classes to ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from model.errors import ModelError
from model.labels import LABELS, UNKNOWN, number

NOT_WHITE: Final = frozenset({"platelet"})
"""Kinds that the model is never shown, as the finder should never cut them."""

_SAME: Final = {label.lower(): label for label in LABELS}


@dataclass(frozen=True)
class ClassMap:
    """What `--map FROM=TO` says. FROM is a class as written, or a cell type; the type wins."""

    pairs: tuple[tuple[str, str], ...] = ()
    """FROM, and a class or nothing: nothing leaves its pictures out."""
    ignored: bool = False
    """Nothing is labelled, whatever it is called: `--unlabelled`."""

    @classmethod
    def parse(cls, typed: Iterable[str], ignored: bool = False) -> "ClassMap":
        """Read `FROM=TO` pairs.

        Raises:
            ModelError: one is not of that form, or TO is no class.
        """
        pairs = []
        for pair in typed:
            name, equals, label = pair.partition("=")
            if not name or not equals or (label and label.lower() not in _SAME):
                raise ModelError(
                    f"--map {pair!r} is not FROM=TO with TO one of {', '.join(LABELS)}, or nothing "
                    "to leave FROM out"
                )
            pairs.append((name, _SAME[label.lower()] if label else ""))
        return cls(tuple(pairs), ignored)

    def keeps(self, named: str, kind: str) -> bool:
        """Whether pictures of this class and cell type come in at all."""
        mapped = self._mapped(named, kind)
        return mapped != "" if mapped is not None else kind not in NOT_WHITE

    def label(self, named: str, kind: str, where: str) -> int:
        """Index into LABELS; UNKNOWN where the source names no class.

        Args:
            named: class as the source writes it; case does not matter.
            kind: cell type.
            where: for the message.

        Raises:
            ModelError: it is no class and not mapped to one.
        """
        if self.ignored:
            return UNKNOWN
        mapped = self._mapped(named, kind)
        name = named if mapped is None else mapped
        if name and name.lower() not in _SAME:
            raise ModelError(
                f"{where}: {name!r} is not a class ({', '.join(LABELS)}). Say what it is with "
                f"--map {name}=Normal, or leave it out with --map {name}="
            )
        return number(_SAME[name.lower()]) if name else UNKNOWN

    def unused(self, names: Iterable[str]) -> list[str]:
        """Each FROM that is none of the names: most likely mistyped."""
        known = set(names)
        return [name for name, _ in self.pairs if name not in known]

    def _mapped(self, named: str, kind: str) -> str | None:
        pairs = dict(self.pairs)
        return pairs.get(kind, pairs.get(named))

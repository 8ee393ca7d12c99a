"""How far a scan has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edge.stage.base import Place


@dataclass(frozen=True)
class ScanStatus:
    """A scan at one moment. No path, no name, no slide number is in it."""

    activity: Literal["running", "finished", "stopped", "failed"]
    """`stopped` by a person, `failed` for `reason`; both can be gone on with."""
    fields: int
    """Fields visited: saved or refused."""
    all_fields: int
    saved: int
    cells: int
    """White cells in the saved fields."""
    target_cells: int
    refused: Mapping[str, int] = field(default_factory=dict)
    """Fields passed over, by the code of docs/refusals.md."""
    unfocused: int = 0
    """How often no focus was found since the scan was begun or gone on with."""
    place: Place | None = None
    """Of the field visited last."""
    resumed: bool = False
    """It goes on where another run left off."""
    reason: str = ""
    """Code of docs/refusals.md for `failed`."""
    sentence: str = ""
    """What happened; may travel."""
    remedy: str = ""
    """What to do; may travel."""

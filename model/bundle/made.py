"""What was measured while a bundle was made, for its card."""

from dataclasses import dataclass

from model.bundle.ood import Kept
from model.bundle.quantise import Quantised
from model.evaluation.validation import Sets


@dataclass(frozen=True)
class Made:
    """All that the card says beside the run's own figures."""

    difference: float
    """Largest difference between graph and Keras, as `Answers.furthest` has it."""
    probe: int
    """Real cells that it was looked for on, beside as many of noise."""
    quantised: Quantised
    generator: int | None
    """Largest difference of the generator's graph in grey levels; None without one."""
    sets: Sets | None
    """Conformal sets on held-out cells; None where the run kept no validation predictions."""
    kept: list[Kept]
    """Held-out cells below `ood_above`; nothing without an `ood` output."""
    signed: bool

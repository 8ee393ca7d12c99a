"""Where training cells lie among the features: what the `ood` output measures from.

Import only after `start_tensorflow`.
"""

from imaging.types import Cells
from model.bundle import ood
from model.data.cells import CellSet
from model.data.mixture import Mixture
from model.training.acgan import ACGAN
from model.training.looking import look


def measured(model: ACGAN, mixture: Mixture) -> ood.Measured:
    """The ruler laid through the labelled training cells, and what validation cells measure."""
    train, validation = mixture.part("train"), mixture.part("validation")
    ruler = ood.fit_ruler(look(model, train).features, ood.groups(train.sources, train.labels))
    return ood.Measured(ruler, seen(model, validation), validation.sources)


def seen(model: ACGAN, cells: Cells | CellSet) -> ood.Seen:
    """What the averaged discriminator says of cells, uint8 N×h×w×3, or of a set."""
    said = look(model, cells)
    return ood.Seen(said.features, said.logits, said.source)

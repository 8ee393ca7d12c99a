"""An SVM on pooled features of DenseNet-121 or ResNet-50. Import only after `start_tensorflow`."""

from model.baselines.applications import Application, Network
from model.baselines.baseline import BaselineConfig, Told
from model.baselines.fitting import network_outputs
from model.baselines.svm import CalibratedSVM, chosen
from model.data.cells import CellSet
from model.evaluation.measures import Numbers


class DeepSVM:
    """Features of a network, averaged over the image, into an SVM.

    With weights the network is taken as it is. Without, it is first trained from scratch on the
    same training part: features of random weights would be a straw man.
    """

    def __init__(self, network: Network, config: BaselineConfig) -> None:
        """Build the network; see `Application`."""
        self._body = Application(network, config)
        self._frozen = bool(config.weights)
        self._seed = config.cells.seed
        self._svm = CalibratedSVM()
        self.origin = f"features of {self._body.origin}"
        if not self._frozen:
            self.origin = "features trained from scratch"

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """See `Baseline`."""
        if not self._frozen:
            self._body.fit(train, validation, told)
        used = chosen(train, self._seed)
        self._svm.fit(self._seen(used), used.labels, self._seen(validation), validation.labels)
        if self._frozen:
            told(1, 1, "")

    def logits(self, cells: CellSet) -> Numbers:
        """See `Baseline`."""
        return self._svm.logits(self._seen(cells))

    def _seen(self, cells: CellSet) -> Numbers:
        return network_outputs(self._body.features, cells)

"""All that a killed training needs to go on as if nothing had been. After `start_tensorflow`."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from model import run
from model.errors import ModelError
from model.training.acgan import ACGAN

CHECKPOINT: Final = "checkpoint.npz"
EPOCHS: Final = "epochs"


def save(folder: Path, model: ACGAN, epochs: int) -> None:
    """Write the state after `epochs` epochs in place of the one before, whole or not at all."""
    state = {f"v{number}": np.asarray(variable) for number, variable in enumerate(_state(model))}
    run.write_arrays(folder / CHECKPOINT, state | {EPOCHS: np.array(epochs)})


def restore(folder: Path, model: ACGAN) -> int:
    """Give a new model the state that `save` wrote.

    Returns:
        Epochs done; 0 where there is no checkpoint.

    Raises:
        ModelError: the checkpoint is of another network.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return 0
    variables = _state(model)
    with np.load(path) as file:
        values = [file[f"v{number}"] for number in range(len(file.files) - 1)]
        epochs = int(file[EPOCHS])
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise ModelError(f"{path} is of another network than config.json says")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return epochs


def _state(model: ACGAN) -> list[Any]:
    """Weights, moving average, random generators and both optimisers with their step counts."""
    optimizers = (model.critic_optimizer, model.maker_optimizer)
    return [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]

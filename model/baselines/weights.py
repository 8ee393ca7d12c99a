"""First weights of a keras.applications network. Import only after `start_tensorflow`."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import keras

from model import run
from model.errors import ModelError

SCRATCH: Final = "from scratch"
IMAGENET: Final = "imagenet"


def with_weights(build: Callable[[str | None], keras.Model], given: str) -> tuple[keras.Model, str]:
    """Build a network without its top and give it its first weights.

    Args:
        build: makes it from `imagenet`, which downloads, or None.
        given: a file, `imagenet`, or empty.

    Returns:
        The network, and where its weights came from.

    Raises:
        ModelError: they cannot be had.
    """
    if not given:
        return build(None), SCRATCH
    if given == IMAGENET:
        return _downloaded(build), "ImageNet, downloaded by Keras"
    return _of_file(build(None), Path(given).expanduser())


def _downloaded(build: Callable[[str | None], keras.Model]) -> keras.Model:
    try:
        return build(IMAGENET)
    except Exception as error:  # Keras raises a bare Exception where the net is away
        raise ModelError(
            f"ImageNet weights cannot be downloaded ({error}). Where there is no way to the "
            "internet, fetch the 'notop' file of this network elsewhere and give --weights FILE"
        ) from error


def _of_file(network: keras.Model, file: Path) -> tuple[keras.Model, str]:
    try:
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"--weights {file} cannot be read: {error}") from error
    try:
        if file.suffix == ".npz":
            network.set_weights(run.load_weights(file.parent, file.name))
        elif file.suffix == ".keras":
            network.set_weights(keras.models.load_model(file, compile=False).get_weights())
        else:
            network.load_weights(file)
    except (ValueError, OSError, KeyError) as error:
        raise ModelError(
            f"--weights {file} does not fit {network.name} without its top, the 'notop' file of "
            f"keras.applications: {error}"
        ) from error
    return network, f"{file.name}, sha256 {sha256}"

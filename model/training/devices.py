"""On what a training runs. Import only after `start_tensorflow`."""

import tensorflow as tf

from model.errors import ModelError


def strategy(gpus: int) -> tf.distribute.Strategy:
    """The CPU for 0, else a copy of the model on each of so many GPUs.

    Raises:
        ModelError: there are fewer.
    """
    if not gpus:
        return tf.distribute.get_strategy()
    there = accelerators()
    if len(there) < gpus:
        raise ModelError(f"--gpus {gpus}: TensorFlow sees {len(there)} here")
    return tf.distribute.MirroredStrategy(there[:gpus])


def accelerators() -> list[str]:
    """Names of the GPUs that TensorFlow sees."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]

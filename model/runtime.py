"""Start TensorFlow late, quietly and repeatably."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import ModelError
from model.kernels import prefer_onednn


def start_tensorflow(seed: int, threads: int, gpus: int = 0) -> None:
    """Import TensorFlow, fix its threads and seeds, and make its kernels deterministic.

    Called once, before anything else here imports TensorFlow: `--help` and `verify` never pay
    for it. A second call in one process only sets the seed again, as TensorFlow fixes its
    thread count with its first operation.

    Args:
        seed: of Python, numpy and TensorFlow.
        threads: for one operation (intra-op).
        gpus: how many are wanted; with 0 they are hidden, as the CPU repeats to the bit.

    Raises:
        ModelError: the extra `model` is not installed.
    """
    prefer_onednn()
    first = "tensorflow" not in sys.modules
    with _held_back_stderr():
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            raise ModelError(f"{error}: install with pip install 'leukoscope[model]'") from error
        if first:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
            tf.config.experimental.enable_op_determinism()
            if not gpus:
                tf.config.set_visible_devices([], "GPU")
        # Every network of a comparison traces functions of its own: no warning of that.
        tf.get_logger().setLevel("ERROR")
        keras.utils.set_random_seed(seed)
        tf.constant(0) + 0  # the first operation prints what the CPU can do


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Hold back what C++ writes to file descriptor 2; show it when the block fails.

    TensorFlow's libraries log there before any log level of theirs applies.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)

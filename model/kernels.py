"""Which kernels TensorFlow computes with. Imports nothing heavy."""

import os
import sys


def prefer_onednn() -> None:
    """Choose oneDNN's kernels, unless TensorFlow is imported already and has chosen.

    TensorFlow's own convolutions take 3 to 10 times as long backwards on small maps, and on CPUs
    without AVX-512 it chooses them. Measured: VGG-16 at 32 px, one thread of an AMD EPYC, 126 and
    36 ms CPU a cell and step. Whoever has set the variable decides.
    """
    if "tensorflow" not in sys.modules:  # set too late, it would change child processes only
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

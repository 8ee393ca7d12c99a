"""Which kernels TensorFlow computes with. Imports nothing heavy."""

import os


def prefer_onednn() -> None:
    """Choose oneDNN's kernels; call before TensorFlow is imported, or it changes nothing.

    TensorFlow's own convolutions take 3 to 10 times as long backwards on small maps, and on CPUs
    without AVX-512 it chooses them. Measured: VGG-16 at 32 px, one thread of an AMD EPYC, 126 and
    36 ms CPU a cell and step. Whoever has set the variable decides.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

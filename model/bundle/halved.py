"""Weights of an ONNX graph kept in half the bytes: float16 in the file, float32 at work."""

from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALL: Final = 256
"""Tensors of fewer numbers are left as they are: they weigh nothing, and may be exact constants."""


def halved(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph, each large float32 weight stored as float16 and cast when it is loaded.

    A float16 has eleven bits: the weight is off by up to 1 in 2,048. Only for a graph whose outputs
    are compared afterwards.
    """
    casts = []
    for weight in proto.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        name, stored = weight.name, f"{weight.name}/half"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    for place, cast in enumerate(casts):
        proto.graph.node.insert(place, cast)
    onnx.checker.check_model(proto)
    return proto

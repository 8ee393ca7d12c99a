"""The one image type."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
"""uint8, H×W×3, RGB, 0 to 255."""

Cells: TypeAlias = npt.NDArray[np.uint8]
"""uint8, N×h×w×3, RGB: white cells cut out and resized to a model's input."""

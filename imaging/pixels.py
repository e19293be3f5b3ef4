"""The one kind of pixels: uint8, height x width x 3, sRGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

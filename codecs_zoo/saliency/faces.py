"""Faces by CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019).

At a quarter of the resolution the network gives a heat map of face centres, the logarithms of heights and widths in
those cells, and offsets of the centres.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from codecs_zoo.downstream.detection import Boxes, suppressed
from codecs_zoo.onnx_models import open_model
from imaging.pixels import Pixels

MODEL = "centerface"
MULTIPLE = 32
CERTAIN = 0.5
LONGEST = 1280
"""Larger photographs are looked at in this size: a face of 20 pixels is still found."""


def faces(pixels: Pixels) -> Boxes:
    """The faces in uint8 HxWx3 pixels. Raises ModelUnavailable."""
    height, width = pixels.shape[:2]
    share = min(1.0, LONGEST / max(height, width))
    size = tuple(max(1, round(length * share / MULTIPLE)) * MULTIPLE for length in (width, height))
    picture = np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), Image.Resampling.BILINEAR))
    session = open_model(MODEL)
    blob = picture.transpose(2, 0, 1)[None].astype(np.float32)
    heat, scale, offset = session.run(None, {session.get_inputs()[0].name: blob})[:3]
    return decoded(heat[0, 0], scale[0], offset[0])


def decoded(
    heat: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], offset: npt.NDArray[np.float32]
) -> Boxes:
    """Boxes of cells with heat over one half; overlapping ones are one face. Each counts fully, as the score says."""
    rows, columns = np.nonzero(heat > CERTAIN)
    high, wide = np.exp(scale[:, rows, columns].astype(np.float64))
    y = rows + offset[0, rows, columns] + 0.5
    x = columns + offset[1, rows, columns] + 0.5
    extent = np.array([heat.shape[1], heat.shape[0]] * 2)
    corners = np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], 1) / extent
    certainty = heat[rows, columns].astype(np.float64)
    distinct = suppressed(Boxes(corners.clip(0, 1), np.zeros(len(rows), np.int64), certainty))
    return Boxes(distinct.corners, distinct.classes, np.ones(len(distinct)))

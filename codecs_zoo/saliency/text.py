"""Written text by PP-OCRv4's detector, which gives for each pixel the probability of being text.

It takes windows and railings for text, too, and is sure of it; so a region counts only if its mean probability and its
size say so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import find_objects, label

from codecs_zoo.downstream.detection import Boxes
from codecs_zoo.downstream.segmentation import DEVIATION, MEAN
from codecs_zoo.onnx_models import open_model
from imaging.pixels import Pixels

MODEL = "ppocr-text"
MULTIPLE = 32
LONGEST = 960
PIXEL, REGION = 0.3, 0.6
"""Least probability of a pixel of a region, and least mean probability of a region."""
SMALLEST = 6
"""Pixels of the shorter side: less cannot be read."""
LARGEST = 0.05
"""Of the picture's long side, for the shorter side: rows of windows are higher, and large letters survive coding."""


def text(pixels: Pixels) -> Boxes:
    """Regions of text in uint8 HxWx3 pixels. Raises ModelUnavailable."""
    height, width = pixels.shape[:2]
    share = min(1.0, LONGEST / max(height, width))
    size = tuple(max(1, round(length * share / MULTIPLE)) * MULTIPLE for length in (width, height))
    picture = np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), Image.Resampling.BILINEAR))
    # The network was trained on pictures as OpenCV reads them: blue first.
    blob = ((picture[:, :, ::-1] / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
    session = open_model(MODEL)
    return regions(session.run(None, {session.get_inputs()[0].name: blob})[0][0, 0])


def regions(probability: npt.NDArray[np.float32]) -> Boxes:
    """Boxes of connected likely pixels that are sure and large enough; each counts fully, as the score says."""
    labels, _ = label(probability > PIXEL)
    corners, scores = [], []
    extent = np.array([probability.shape[1], probability.shape[0]] * 2)
    for number, place in enumerate(find_objects(labels), 1):
        rows, columns = place
        score = float(probability[place][labels[place] == number].mean())
        side = min(rows.stop - rows.start, columns.stop - columns.start)
        if score >= REGION and SMALLEST <= side <= LARGEST * max(probability.shape):
            corners.append(np.array([columns.start, rows.start, columns.stop, rows.stop]) / extent)
            scores.append(1.0)
    if not scores:
        return Boxes.none()
    return Boxes(np.array(corners), np.zeros(len(scores), np.int64), np.array(scores))

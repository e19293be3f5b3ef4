"""Pictures made up, and the settings to code them with."""

import math

import numpy as np

from codecs_zoo.contract import Codec, Pixels, Settings


def make_picture(height: int, width: int, seed: int = 0) -> Pixels:
    """A scene like a photograph's: a gradient sky, sharp-edged discs, fine grain."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    scene = np.stack([160 - rows / 3, 130 + columns / 9, 210 - rows / 2], axis=-1)
    for _ in range(12):
        centre_row, centre_column, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(4, 60)
        inside = (rows - centre_row) ** 2 + (columns - centre_column) ** 2 < radius**2
        scene[inside] = rng.uniform(20, 235, size=3) + 12 * np.sin(columns[inside] / 3)[:, None]
    scene += rng.normal(0, 4, size=scene.shape)
    return scene.clip(0, 255).astype(np.uint8)


def middle(codec: Codec) -> Settings:
    """Settings at the point of the rate curve that is nearest to 0.5 bpp."""
    knob = min(codec.rate_curve, key=lambda point: abs(math.log(point[1] / 0.5)))[0]
    return codec.complete_settings({codec.knob.name: codec.knob.on_grid(knob)})

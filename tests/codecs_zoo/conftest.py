"""A picture to code, and the switch that refreshes golden results."""

import numpy as np
import pytest

from codecs_zoo.contract import Pixels


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refresh-golden", action="store_true", help="write tests/golden anew from what the code does now"
    )


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


@pytest.fixture(scope="session")
def picture() -> Pixels:
    """192 x 256 pixels, enough for MS-SSIM."""
    return make_picture(192, 256)

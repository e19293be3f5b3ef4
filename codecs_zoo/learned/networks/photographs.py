"""Training photographs in memory, and random crops of them that depend on seed, step and rank alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codecs_zoo.contract import Pixels
from codecs_zoo.learned.networks.shape import PATCH
from imaging.pictures import FORMATS, PhotographError, load_photograph

SUFFIXES = {f".{name.lower()}" for name in FORMATS} | {".jpg", ".tif"}
SMALLEST = 64
HALVED_FROM = 1400
"""A photograph with a side this long is used at half its size too: cameras blur at full size."""


def load_folders(folders: Iterable[Path], crop: int) -> list[Pixels]:
    """Every photograph of the folders with both sides at least `crop`, in the order of their names.

    Raises PhotographError if a folder is missing or nothing large enough is found.
    """
    photographs = []
    for folder in folders:
        if not folder.is_dir():
            raise PhotographError(f"There is no folder {folder}; give folders of photographs to --data.")
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                photographs += _sizes(load_photograph(path).pixels)
    large = [pixels for pixels in photographs if min(pixels.shape[:2]) >= crop]
    if not large:
        raise PhotographError(
            f"No photograph there is {crop} x {crop} pixels or more. Give others, or a smaller crop."
        )
    return large


def random_crops(photographs: list[Pixels], crop: int, batch: int, seed: tuple[int, ...]) -> Tensor:
    """batch x 3 x crop x crop in 0..1, flipped and turned at random; the same seed gives the same crops."""
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(batch):
        pixels = photographs[rng.integers(len(photographs))]
        top, left = (int(rng.integers(side - crop + 1)) for side in pixels.shape[:2])
        square = np.rot90(pixels[top : top + crop, left : left + crop], int(rng.integers(4)))
        crops.append(square[:, :: 1 - 2 * int(rng.integers(2))])
    return torch.from_numpy(np.ascontiguousarray(np.stack(crops))).permute(0, 3, 1, 2).float() / 255


def principal_components(photographs: list[Pixels], count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """(components count x 768, mean 768, variances count) of patches about 0.5, in pixel_unshuffle's order."""
    crops = random_crops(photographs, 4 * PATCH, 1000, (seed, 0xC0))
    patches = torch.nn.functional.pixel_unshuffle(crops - 0.5, PATCH)
    rows = patches.permute(0, 2, 3, 1).reshape(-1, patches.shape[1]).double()
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((rows - mean).T))
    strongest = values.argsort(descending=True)[:count]
    return vectors[:, strongest].T.float(), mean.float(), values[strongest].float()


def _sizes(pixels: Pixels) -> list[Pixels]:
    if max(pixels.shape[:2]) < HALVED_FROM:
        return [pixels]
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    quarters = pixels[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    sums = quarters[:, 0].astype(np.uint16) + quarters[:, 1]
    return [pixels, ((sums[:, :, 0] + sums[:, :, 1] + 2) // 4).astype(np.uint8)]

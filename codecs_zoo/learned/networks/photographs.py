"""Training photographs in memory, and random crops of them that depend on the seed alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from codecs_zoo.contract import Pixels
from codecs_zoo.learned.networks.shape import PATCH
from imaging.errors import PhotographError
from imaging.listing import files
from imaging.pictures import ENDINGS, load_photograph

HALVED_FROM = 1400
"""A photograph with a side this long is used at half its size too: cameras blur at full size."""


def load_folders(folders: Iterable[Path], crop: int) -> list[Pixels]:
    """Every photograph of the folders with both sides at least `crop`, in the order of their names.

    Raises PhotographError if a folder is missing, a photograph is damaged or nothing large enough is found.
    """
    photographs = []
    for folder in folders:
        if not folder.is_dir():
            raise PhotographError(f"There is no folder {folder}; use --data with folders of photographs.")
        for path in files(folder, ENDINGS):
            try:
                photographs += _sizes(load_photograph(path, smallest_side=1).pixels)
            except (OSError, PhotographError) as error:
                raise PhotographError(f"{path} cannot be read: {error} Remove it from the folder.") from error
    large = [pixels for pixels in photographs if min(pixels.shape[:2]) >= crop]
    if not large:
        raise PhotographError(
            f"No photograph has at least {crop} x {crop} pixels. Use larger photographs, or a smaller crop."
        )
    return large


class CropPool:
    """Arrays of one number of channels on one device, such as photographs, and square crops cut out of them there.

    Where a batch is cut depends on the seed alone (`places`), and means the same in pools of the same sizes; cutting
    (`cut`) waits for nothing, so that a GPU is never held up.
    """

    def __init__(
        self, arrays: Sequence[npt.NDArray[Any]], crop: int, device: torch.device | str = "cpu"
    ) -> None:
        sizes = np.array([array.shape[:2] for array in arrays])
        self.crop = crop
        self.free = sizes - crop + 1
        self.widths = sizes[:, 1]
        self.starts = np.cumsum([0, *sizes[:-1].prod(1)])
        flat = np.concatenate([array.reshape(-1) for array in arrays])
        self.values = torch.from_numpy(flat).to(device)
        self.side = torch.arange(crop, device=device)
        self.channels = torch.arange(arrays[0].shape[2], device=device)

    def places(self, batch: int, seed: tuple[int, ...]) -> Tensor:
        """batch x 3 int64 on the CPU: the first pixel of each crop, and the steps from row to row and column to column.

        Every flip and quarter turn is as likely.
        """
        rng = np.random.default_rng(seed)
        which = rng.integers(len(self.widths), size=batch)
        top, left = (rng.random((batch, 2)) * self.free[which]).astype(np.int64).T
        first = self.starts[which] + top * self.widths[which] + left
        steps = np.stack([self.widths[which], np.ones(batch, np.int64)], 1)
        for axis in (0, 1):
            turned = rng.random(batch) < 0.5
            first = first + turned * steps[:, axis] * (self.crop - 1)
            steps[turned, axis] *= -1
        swapped = rng.random(batch) < 0.5
        steps[swapped] = steps[swapped, ::-1]
        return torch.from_numpy(np.column_stack([first, steps]))

    def cut(self, places: Tensor) -> Tensor:
        """batch x channels x crop x crop of the pool's values, channels last in memory; `places` on its device."""
        first, down, across = places.view(-1, 3, 1, 1, 1).unbind(1)
        pixel = first + down * self.side[:, None, None] + across * self.side[:, None]
        return self.values[pixel * len(self.channels) + self.channels].permute(0, 3, 1, 2)


def as_pictures(bytes_: Tensor) -> Tensor:
    """uint8 in 0..255 to float32 in 0..1, channels last in memory."""
    return bytes_.to(torch.float32, memory_format=torch.channels_last) / 255


def principal_components(crops: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """(components count x 768, mean 768, variances count) of patches about 0.5, in pixel_unshuffle's order.

    `crops`: N x 3 x H x W in 0..1.
    """
    patches = torch.nn.functional.pixel_unshuffle(crops - 0.5, PATCH)
    rows = patches.permute(0, 2, 3, 1).reshape(-1, patches.shape[1]).cpu().double()
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

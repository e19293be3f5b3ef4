"""Training photographs on the training device, and random crops of them without a round trip."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from codecs_zoo.contract import CodecError
from imaging.errors import PhotographError
from imaging.listing import files
from imaging.pictures import ENDINGS, load_photograph

HALVED_FROM = 1000
"""A photograph with a side this long is used at half its size too: cameras blur at full size."""

Pixels = npt.NDArray[np.uint8]


def read_photographs(folder: Path, smallest: int) -> list[Pixels]:
    """Every photograph of the folder with both sides at least `smallest`, in the order of their names.

    Raises CodecError if the folder is missing or holds nothing that large.
    """
    if not folder.is_dir():
        raise CodecError(f"There is no folder {folder}; use --data with a folder of photographs.")
    paths = list(files(folder, ENDINGS))
    with ThreadPoolExecutor(8) as pool:
        photographs = [size for sizes in pool.map(_sizes, paths) for size in sizes]
    large = [pixels for pixels in photographs if min(pixels.shape[:2]) >= smallest]
    if not large:
        raise CodecError(f"No photograph in {folder} has at least {smallest} x {smallest} pixels.")
    return large


def _sizes(path: Path) -> list[Pixels]:
    try:
        picture = Image.fromarray(load_photograph(path, smallest_side=1).pixels)
    except (OSError, PhotographError) as error:
        raise CodecError(f"{path} cannot be read: {error}") from error
    pictures = [picture]
    if max(picture.size) >= HALVED_FROM:
        pictures.append(picture.reduce(2))
    return [np.asarray(each) for each in pictures]


class Crops:
    """Photographs as one flat tensor of packed pixels; photographs are drawn by their area."""

    def __init__(self, photographs: list[Pixels], device: torch.device) -> None:
        packed = [
            (each.astype(np.int32) << np.array([0, 8, 16], np.int32)).sum(-1, dtype=np.int32).ravel()
            for each in photographs
        ]
        self.pixels = torch.from_numpy(np.concatenate(packed)).to(device)
        areas = np.array([len(each) for each in packed])
        self.starts = torch.from_numpy(np.cumsum(areas) - areas).to(device)
        self.heights = torch.tensor([len(each) for each in photographs], device=device)
        self.widths = torch.tensor([each.shape[1] for each in photographs], device=device)
        self.shares = torch.from_numpy(areas / areas.sum()).float().to(device)

    def draw(self, count: int, side: int, generator: torch.Generator | None = None) -> Tensor:
        """count x 3 x side x side in 0..1, flipped and transposed at random."""
        device = self.pixels.device
        which = torch.multinomial(self.shares, count, replacement=True, generator=generator)
        chance = torch.rand(5, count, device=device, generator=generator)
        top = (chance[0] * (self.heights[which] - side + 1)).long()
        left = (chance[1] * (self.widths[which] - side + 1)).long()
        along = torch.arange(side, device=device)
        rows = torch.where((chance[2] < 0.5)[:, None], along, side - 1 - along)[:, :, None]
        columns = torch.where((chance[3] < 0.5)[:, None], along, side - 1 - along)[:, None, :]
        turned = (chance[4] < 0.5)[:, None, None]
        rows, columns = torch.where(turned, columns.mT, rows), torch.where(turned, rows.mT, columns)
        places = (top[:, None, None] + rows) * self.widths[which][:, None, None]
        places = places + left[:, None, None] + columns + self.starts[which][:, None, None]
        packed = self.pixels[places]
        return torch.stack([(packed >> shift) & 255 for shift in (0, 8, 16)], 1).float() / 255


def centre(photographs: list[Pixels], side: int) -> Tensor:
    """The middle of each photograph: B x 3 x side x side in 0..1."""
    squares = []
    for pixels in photographs:
        top, left = ((length - side) // 2 for length in pixels.shape[:2])
        squares.append(pixels[top : top + side, left : left + side])
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255

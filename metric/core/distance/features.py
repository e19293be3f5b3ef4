"""Pair vectors: all that fitting the heads needs of two images.

The heads of LPIPS are linear, so d = Σ_l Σ_c w_lc · mean_hw(diff_lc²) = w·v with one vector v per pair. It is
computed once for each (reference, distorted), and kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imaging.pixels import Pixels
from metric.core.distance.base import batch_bytes, full_precision
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.combined import structure
from metric.core.distance.images import Picture
from metric.core.distance.lpips import LPIPS
from metric.core.distance.trunks import tensors_sha256
from metric.core.errors import InputError

Pair = tuple[Picture, Picture]
Count = Callable[[int, int], None]

# With fewer in a batch, computing the reference again in each costs more than going one by one.
FEWEST_TOGETHER = 4

# What makes a vector of pixels, beside the trunk's weights.
FORMULAS = tuple(f"metric.core.distance.{name}" for name in ("features", "lpips", "trunks", "combined"))


@dataclass(frozen=True)
class _Batch:
    """References of one size, each with its distorted images; positions are places in the answer.

    `apart`: one pair of images so large that each goes through the trunk by itself.
    """

    references: tuple[Picture, ...]
    distorted: tuple[Picture, ...]
    reference_of: tuple[int, ...]
    positions: tuple[int, ...]
    apart: bool = False


def pair_vectors(
    metric: LPIPS,
    pairs: Sequence[Pair],
    cache: VectorCache | None = None,
    count: Count | None = None,
    *,
    structured: bool = False,
) -> NDArray[np.float32]:
    """One row per (reference, distorted): float32, (N, Σ C_l), so that `row @ metric.weights` is the distance.

    With `structured`, (N, 3·Σ C_l): what `combined.structure` says of the layers follows, from the same pass.
    Both pictures of a pair must have one size; different pairs may differ. What the cache holds is not
    computed; `count(done, total)` counts what is. Equal pairs are computed once. Raises ValueError for a pair
    of two sizes.
    """
    trunk = tensors_sha256(metric.net.state_dict())
    length = metric.shape.length * (3 if structured else 1)
    what = "pair vector and structure 1" if structured else "pair vector"
    keys = [_key(what, trunk, a, b) for a, b in pairs]
    stored = cache.get_many(keys) if cache else {}
    rows: dict[str, Vector] = {key: vector for key, vector in stored.items() if vector.size == length}
    missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in rows}
    for batch in _computed(metric, missing, count, structured):
        rows |= batch
        if cache:
            cache.put(batch)
    return np.stack([rows[key] for key in keys]) if keys else np.empty((0, length), np.float32)


def _key(what: str, trunk: str, reference: Picture, distorted: Picture) -> str:
    size, other = (f"{p.height}x{p.width}" for p in (reference, distorted))
    if size != other:
        raise InputError(f"A reference of {size} pixels cannot be compared with an image of {other}.")
    return content_key(what, trunk, reference.sha256, distorted.sha256, size, code_key(*FORMULAS))


def _computed(
    metric: LPIPS, missing: dict[str, Pair], count: Count | None, structured: bool
) -> Iterator[dict[str, Vector]]:
    keys = list(missing)
    done = 0
    seen = _Seen(metric)
    for batch in _batches(list(missing.values()), batch_bytes(seen.device)):
        yield dict(zip((keys[i] for i in batch.positions), _vectors(seen, batch, structured), strict=True))
        done += len(batch.positions)
        if count:
            count(done, len(keys))


class _Seen:
    """Features of batches; those of a large reference are kept, for the batches of its other distorted images."""

    def __init__(self, metric: LPIPS) -> None:
        self._metric = metric
        self.device = metric.scaling_layer.shift.device
        self._sha256 = ""
        self._kept: list[Tensor] = []

    def layers(self, batch: _Batch) -> list[tuple[Tensor, Tensor]]:
        """(references, distorted) of each layer, both N×C×h×w, a reference repeated for each of its images."""
        if not batch.apart:
            layers = self._features((*batch.references, *batch.distorted))
            index = torch.tensor(batch.reference_of, device=self.device)
            first = len(batch.references)
            return [(x[:first][index], x[first:]) for x in layers]
        (reference,) = batch.references
        if reference.sha256 != self._sha256:
            self._kept = []  # before the next is computed: of very large ones there is no room for both
            self._kept, self._sha256 = self._features(batch.references), reference.sha256
        return list(zip(self._kept, self._features(batch.distorted), strict=True))

    def _features(self, pictures: Sequence[Picture]) -> list[Tensor]:
        return self._metric.features(to_tensor([picture.read() for picture in pictures], self.device))


def _batches(pairs: list[Pair], most: int) -> Iterator[_Batch]:
    """Pairs of one size together, a reference beside its distorted images, of `most` bytes as floats.

    Where few would fit, each goes alone: the reference is then computed once, and company changes no bit.
    """
    by_size: dict[tuple[int, int], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, (reference, _) in enumerate(pairs):
        by_size[reference.height, reference.width][reference.sha256].append(position)
    for (height, width), by_reference in sorted(by_size.items()):
        room = most // (12 * height * width)
        if room < FEWEST_TOGETHER:
            for positions in by_reference.values():
                for position in positions:
                    yield replace(_gather(pairs, [[position]]), apart=True)
            continue
        waiting: list[list[int]] = []
        for positions in by_reference.values():
            for start in range(0, len(positions), room - 1):
                part = positions[start : start + room - 1]
                if waiting and sum(map(len, waiting)) + len(waiting) + len(part) + 1 > room:
                    yield _gather(pairs, waiting)
                    waiting = []
                waiting.append(part)
        yield _gather(pairs, waiting)


def _gather(pairs: list[Pair], groups: list[list[int]]) -> _Batch:
    positions = [position for group in groups for position in group]
    return _Batch(
        references=tuple(pairs[group[0]][0] for group in groups),
        distorted=tuple(pairs[position][1] for position in positions),
        reference_of=tuple(number for number, group in enumerate(groups) for _ in group),
        positions=tuple(positions),
    )


def _vectors(seen: _Seen, batch: _Batch, structured: bool) -> NDArray[np.float32]:
    with torch.inference_mode(), full_precision(seen.device), _same_each_time():
        layers = seen.layers(batch)
        more = [structure(x, y) for x, y in layers] if structured else []
        heads = [(x - y).square_().mean(dim=(2, 3)) for x, y in layers]
        return torch.cat(heads + more, dim=1).cpu().numpy()


@contextmanager
def _same_each_time() -> Iterator[None]:
    """A GPU's convolutions by one algorithm, whatever was fast before.

    torch's own context for this reads its older switch for TF32 too, which fails where the newer one was used.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


def to_tensor(pixels: Sequence[Pixels], device: torch.device | str = "cpu") -> Tensor:
    """H×W×3 uint8 arrays of one size to N×3×H×W float32 in [-1, 1] on the device, in channels-last order."""
    stacked = torch.from_numpy(np.stack(pixels)).to(device).permute(0, 3, 1, 2)
    return stacked.to(torch.float32).div_(127.5).sub_(1.0)

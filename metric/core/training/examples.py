"""Votes with their pictures, in batches that fit into memory: what fine-tuning steps on."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imaging.pixels import Pixels
from metric.core.distance.features import to_tensor
from metric.core.distance.images import Picture
from metric.core.evaluation.folds import FoldError, group_folds
from metric.core.evaluation.scoring import Scoring
from metric.core.snapshot.folder import Snapshot, counts_by_side
from metric.core.training.problem import FitError

# Of uint8 pixels in one pass forward and back: a triplet of 512 pixels a side has 2.4 million.
TRAIN_BYTES = 5_000_000


@dataclass(frozen=True)
class Example:
    """A triplet's pictures and its votes: `p1` with half of the ties, `total`, each (S,), and the `side`s, (S,)."""

    photograph: str
    reference: Picture
    p0: Picture
    p1: Picture
    for_p1: NDArray[np.float64]
    total: NDArray[np.float64]
    side: tuple[float, ...]

    @property
    def votes(self) -> float:
        """All votes."""
        return float(self.total.sum())


@dataclass(frozen=True)
class Examples:
    """What is learned from, and what says when to stop."""

    train: Sequence[Example]
    validation: Sequence[Example]


@dataclass(frozen=True)
class BatchVotes:
    """Votes per triplet and side, (N, S): the `share` for p1, and the `total`. `side`: (S,)."""

    share: Tensor
    total: Tensor
    side: Tensor


@dataclass(frozen=True)
class Batch:
    """Images (M, 3, H, W) without repeats, places of each triplet's three, (N,), and its votes."""

    images: Tensor
    reference: Tensor
    p0: Tensor
    p1: Tensor
    votes: BatchVotes


def training_examples(scoring: Scoring, split: str, side_bias: bool) -> list[Example]:
    """The triplets of a split with their pictures and votes."""
    triplets = scoring.snapshot.of(split)
    counts, side = counts_by_side(triplets, side_bias)
    return [
        Example(
            triplet.photograph,
            scoring.pictures[triplet.sha256["ref"]],
            scoring.pictures[triplet.sha256["p0"]],
            scoring.pictures[triplet.sha256["p1"]],
            for_p1=votes[:, 1] + votes[:, 2] / 2,
            total=votes.sum(axis=1).astype(np.float64),
            side=side,
        )
        for triplet, votes in zip(triplets, counts, strict=True)
    ]


def split_examples(scoring: Scoring, side_bias: bool) -> Examples:
    """Train and val of a snapshot."""
    return Examples(
        training_examples(scoring, "train", side_bias), training_examples(scoring, "val", side_bias)
    )


def with_validation(snapshot: Snapshot, seed: int) -> Snapshot:
    """The snapshot itself, or, where its val split is empty, with every fifth train photograph as val.

    Whatever is fitted before fine-tuning must not have seen them either: the start would look too good to leave.
    Raises FitError for fewer than two photographs.
    """
    if snapshot.of("val"):
        return snapshot
    photographs = sorted({triplet.photograph for triplet in snapshot.of("train")})
    aside = set(held_out(photographs, seed))
    moved = (replace(t, split="val") if t.photograph in aside else t for t in snapshot.triplets)
    return replace(snapshot, triplets=tuple(moved))


def held_out(photographs: Sequence[str], seed: int) -> list[str]:
    """Every fifth of the photographs, drawn by `seed`. Raises FitError for fewer than two."""
    names = np.unique(photographs)
    try:
        parts = group_folds(names, 5, seed)
    except FoldError as error:
        raise FitError(str(error)) from error
    return [str(name) for name, part in zip(names, parts, strict=True) if not part]


def batches(examples: Sequence[Example], crop: int) -> Iterator[list[Example]]:
    """Examples of one size together, in order, at least one and at most TRAIN_BYTES at a time."""
    by_size: dict[tuple[int, int], list[Example]] = {}
    for example in examples:
        by_size.setdefault(_size(example, crop), []).append(example)
    for (height, width), group in by_size.items():
        count = max(1, TRAIN_BYTES // (9 * height * width))
        for start in range(0, len(group), count):
            yield group[start : start + count]


def gather(examples: Sequence[Example], crop: int, seed: tuple[int, int], device: torch.device) -> Batch:
    """Read and crop the pictures, each once. One photograph has one crop for each `seed`."""
    places: dict[str, int] = {}
    pixels: list[Pixels] = []
    index = np.empty((3, len(examples)), dtype=np.int64)
    for number, example in enumerate(examples):
        for row, picture in enumerate((example.reference, example.p0, example.p1)):
            if picture.sha256 not in places:
                places[picture.sha256] = len(pixels)
                pixels.append(_cropped(picture, example, crop, seed))
            index[row, number] = places[picture.sha256]
    reference, p0, p1 = (torch.from_numpy(row).to(device) for row in index)
    # Bytes travel to a GPU, and become numbers there: a quarter of the way.
    return Batch(to_tensor(pixels, device), reference, p0, p1, votes_of_batch(examples, device))


def votes_of_batch(examples: Sequence[Example], device: torch.device) -> BatchVotes:
    """The votes of the examples; a triplet without any has the share one half."""
    total = np.stack([example.total for example in examples])
    for_p1 = np.stack([example.for_p1 for example in examples])
    share = np.divide(for_p1, total, out=np.full_like(total, 0.5), where=total > 0)
    shares, totals = (torch.from_numpy(x.astype(np.float32)).to(device) for x in (share, total))
    return BatchVotes(shares, totals, torch.tensor(examples[0].side, dtype=torch.float32, device=device))


def _size(example: Example, crop: int) -> tuple[int, int]:
    size = example.reference.height, example.reference.width
    return (min(size[0], crop), min(size[1], crop)) if crop else size


def _cropped(picture: Picture, example: Example, crop: int, seed: tuple[int, int]) -> Pixels:
    pixels = picture.read()
    if not crop:
        return pixels
    height, width = _size(example, crop)
    rng = np.random.default_rng([*seed, zlib.crc32(example.photograph.encode())])
    top, left = (
        int(rng.integers(0, free + 1)) for free in (pixels.shape[0] - height, pixels.shape[1] - width)
    )
    return pixels[top : top + height, left : left + width]

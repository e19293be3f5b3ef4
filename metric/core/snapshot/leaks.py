"""One photograph in two splits under two names: the leak that hashes of photographs and files do not see.

A copy that was renamed, or saved again without loss, has the same pixels. One that was re-encoded, resized or made
brighter has other pixels, and so would be split as another photograph; its edges lie where they lay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.pixels import Pixels
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.images import Picture
from metric.core.snapshot.folder import SnapshotError

# A picture is reduced to SIDE×SIDE means, less what COARSE×COARSE of them say: lighting says little, edges much.
SIDE, COARSE = 64, 16
FINGERPRINT = f"fingerprint 1, {SIDE} less {COARSE}"
# Correlation of two fingerprints. Of 262 photographs no two different ones came above 0.31, while JPEG of quality 10
# keeps 0.83. In 64-pixel crops, where one edge is all there is, two of them came to 0.75: so more is asked there.
SAME, SAME_IF_SMALL = 0.8, 0.97
SMALL = 128
# In grey levels: below it there are no edges to know a photograph by.
FAINT = 1.5


def refuse_copies(references: Mapping[str, Sequence[Picture]], cache: VectorCache) -> None:
    """Raises SnapshotError when a reference of one split has the pixels of another split's, or shows the same.

    `references`: pictures by split. Copies of faint pictures, and strongly compressed ones of pictures under SMALL
    pixels a side, are not noticed.
    """
    splits: dict[str, str] = {}
    pictures: dict[str, Picture] = {}
    for split, shown in references.items():
        for picture in shown:
            if splits.setdefault(picture.sha256, split) != split:
                raise _leak(
                    picture.sha256, split, picture.sha256, splits[picture.sha256], "has the pixels of"
                )
            pictures[picture.sha256] = picture
    if len(set(splits.values())) < 2:
        return
    names = np.array(list(pictures))
    where = np.array([splits[name] for name in names])
    small = np.array([min(picture.height, picture.width) < SMALL for picture in pictures.values()])
    prints = _fingerprints(pictures, cache)
    for split in sorted(references):
        own, others = np.flatnonzero(where == split), np.flatnonzero(where > split)
        alike = prints[own] @ prints[others].T
        limit = np.where(small[own][:, None] | small[others], SAME_IF_SMALL, SAME)
        for a, b in np.argwhere(alike > limit):
            one, two = str(names[own[a]]), str(names[others[b]])
            raise _leak(one, split, two, splits[two], "shows the same as")


def _fingerprints(pictures: Mapping[str, Picture], cache: VectorCache) -> NDArray[np.float32]:
    """(N, SIDE²) of N pictures, in their order."""
    keys = {name: content_key(FINGERPRINT, name) for name in pictures}
    stored = cache.get_many(list(keys.values()))
    new = {keys[name]: fingerprint(pictures[name].read()) for name in pictures if keys[name] not in stored}
    if new:
        cache.put(new)
    stored |= new
    return np.stack([stored[key] for key in keys.values()])


def fingerprint(pixels: Pixels) -> Vector:
    """Where the edges of H×W×3 uint8 lie: (SIDE²,) float32 of length one; zeros where there are none."""
    grey = Image.fromarray(pixels).convert("L").convert("F")
    fine = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
    coarse = fine.resize((COARSE, COARSE), Image.Resampling.BOX)
    edges = np.asarray(fine) - np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    edges = edges - edges.mean()
    length = float(np.linalg.norm(edges))
    if length < FAINT * SIDE:
        return np.zeros(SIDE * SIDE, dtype=np.float32)
    unit: Vector = (edges / length).astype(np.float32).ravel()
    return unit


def _leak(one: str, split: str, two: str, other: str, how: str) -> SnapshotError:
    return SnapshotError(
        f"Leak: reference {one[:12]} in {split} {how} reference {two[:12]} in {other}. Scores on such a snapshot "
        "would be too good. Take one of the two out of the study, and make a new snapshot."
    )

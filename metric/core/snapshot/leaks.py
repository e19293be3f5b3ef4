"""One photograph in two splits under two names: the leak that hashes of photographs and files do not see.

A copy that was renamed, or saved again without loss, has the same pixels. One that was re-encoded, resized or made
brighter has others, and so has a crop of it: each was split as a photograph of its own. Here they come together, in the
split that learns: what was learned from in any form is not tested on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from metric.core.distance.cache import VectorCache
from metric.core.distance.images import Picture
from metric.core.snapshot.folder import SPLITS, Snapshot
from metric.core.snapshot.likeness import same_view
from metric.core.snapshot.overlap import overlapping
from metric.core.snapshot.thumbnail import Thumbnail, thumbnails, without_frame


@dataclass(frozen=True)
class Moved:
    """A photograph that another one of an earlier split (train, val, test) shows too, and so was moved there."""

    photograph: str
    split: str
    to: str
    shows: str


def keep_copies_together(
    snapshot: Snapshot, pictures: Mapping[str, Picture], cache: VectorCache
) -> tuple[Snapshot, list[Moved]]:
    """The snapshot with photographs that show the same in one split, the earliest of theirs, and what was moved.

    `pictures`: by the sha256 of their file. Not noticed are copies of faint pictures, crops that were resized as well,
    crops and strongly compressed copies of pictures under 128 pixels a side, and parts that have less than a third in
    common.
    """
    references = {t.sha256["ref"]: t.photograph for t in snapshot.triplets}
    small = thumbnails({sha256: pictures[sha256] for sha256 in sorted(references)}, cache)
    pixels = {sha256: pictures[sha256].sha256 for sha256 in small}
    split_of = {t.photograph: t.split for t in snapshot.triplets}
    moved: dict[str, Moved] = {}
    # What was moved may have had a copy in the split that it came from.
    while links := _links(small, references, pixels, split_of):
        for one, other in links:
            early, late = sorted((one, other), key=lambda name: SPLITS.index(split_of[name]))
            if split_of[early] != split_of[late]:
                first = moved.get(late)
                moved[late] = Moved(late, first.split if first else split_of[late], split_of[early], early)
                split_of[late] = split_of[early]
    triplets = tuple(replace(t, split=split_of[t.photograph]) for t in snapshot.triplets)
    return replace(snapshot, triplets=triplets), [moved[name] for name in sorted(moved)]


def _links(
    small: Mapping[str, Thumbnail],
    references: Mapping[str, str],
    pixels: Mapping[str, str],
    split_of: Mapping[str, str],
) -> list[tuple[str, str]]:
    """Photographs of different splits that show the same, by their references."""
    names = list(small)
    shown = list(small.values())
    splits = [split_of[references[name]] for name in names]
    pairs = set(overlapping([without_frame(one) for one in shown], splits)) | _of_equal_pixels(
        [pixels[name] for name in names]
    )
    pairs |= {(int(i), int(j)) for i, j in np.argwhere(np.triu(same_view(shown, shown), 1))}
    return sorted({(references[names[i]], references[names[j]]) for i, j in pairs if splits[i] != splits[j]})


def _of_equal_pixels(pixels: list[str]) -> set[tuple[int, int]]:
    together: dict[str, list[int]] = defaultdict(list)
    for number, sha256 in enumerate(pixels):
        together[sha256].append(number)
    return {(numbers[0], other) for numbers in together.values() for other in numbers[1:]}

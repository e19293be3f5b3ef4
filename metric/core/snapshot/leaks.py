"""One photograph in two splits under two names: the leak that hashes of photographs and files do not see.

A copy that was renamed, or saved again without loss, has the same pixels. One that was re-encoded, resized or made
brighter has others, and so has a crop of it: each was split as a photograph of its own. Here they come together, in the
split that learns: what was learned from in any form is not tested on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from metric.core.distance.cache import VectorCache
from metric.core.distance.images import Picture
from metric.core.snapshot.compared import Compared
from metric.core.snapshot.folder import SPLITS, Snapshot
from metric.core.snapshot.thumbnail import thumbnails


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
    shown = [(references[sha256], pictures[sha256].sha256) for sha256 in small]
    compared = Compared({pictures[sha256].sha256: one for sha256, one in small.items()}, cache)
    split_of = {t.photograph: t.split for t in snapshot.triplets}
    moved: dict[str, Moved] = {}
    # What was moved may have had a copy in the split that it came from.
    while links := _links(shown, split_of, compared):
        for one, other in links:
            early, late = sorted((one, other), key=lambda name: SPLITS.index(split_of[name]))
            if split_of[early] != split_of[late]:
                first = moved.get(late)
                moved[late] = Moved(late, first.split if first else split_of[late], split_of[early], early)
                split_of[late] = split_of[early]
    triplets = tuple(replace(t, split=split_of[t.photograph]) for t in snapshot.triplets)
    return replace(snapshot, triplets=triplets), [moved[name] for name in sorted(moved)]


def _links(
    shown: Sequence[tuple[str, str]], split_of: Mapping[str, str], compared: Compared
) -> list[tuple[str, str]]:
    """Photographs of different splits that show the same; `shown`: photographs and the pixels of their references."""
    apart = [
        ((one, other), (min(mine, its), max(mine, its)))
        for (one, mine), (other, its) in combinations(shown, 2)
        if split_of[one] != split_of[other]
    ]
    same = compared.same({pixels for _, pixels in apart if pixels[0] != pixels[1]})
    return sorted({names for names, pixels in apart if pixels[0] == pixels[1] or pixels in same})

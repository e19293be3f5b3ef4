"""One photograph in two splits under two names: the leak that hashes of photographs and files do not see.

A copy that was renamed, or saved again without loss, has the same pixels. One that was re-encoded, resized or made
brighter has other pixels, and so would be split as another photograph; `likeness` notices it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from metric.core.distance.cache import VectorCache
from metric.core.distance.images import Picture
from metric.core.snapshot.folder import SnapshotError
from metric.core.snapshot.likeness import same_view, thumbnails


def refuse_copies(references: Mapping[str, Sequence[Picture]], cache: VectorCache) -> None:
    """Raises SnapshotError when a reference of one split has the pixels of another split's, or shows the same.

    `references`: pictures by split. Copies of faint pictures, crops, and strongly compressed copies of small pictures
    are not noticed: of a whole snapshot's pairs only what one product of matrices compares.
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
    small = thumbnails(pictures, cache)
    for split in sorted(references):
        own = [name for name in pictures if splits[name] == split]
        others = [name for name in pictures if splits[name] > split]
        for a, b in np.argwhere(same_view([small[name] for name in own], [small[name] for name in others])):
            raise _leak(own[a], split, others[b], splits[others[b]], "shows the same as")


def _leak(one: str, split: str, two: str, other: str, how: str) -> SnapshotError:
    return SnapshotError(
        f"Leak: reference {one[:12]} in {split} {how} reference {two[:12]} in {other}. Scores on such a snapshot "
        "would be too good. Take one of the two out of the study, and make a new snapshot."
    )

"""Which pairs of pictures show the same: each pair is compared once, and its outcome kept by both pictures' pixels.

The cache has one row for each picture: the pictures of higher hashes that it was compared with, and the outcomes. A row
grows with the pictures that a study gains. Where two workers write one row at once, the pairs of one of them are
compared again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import numpy as np

from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.snapshot.likeness import same_view
from metric.core.snapshot.overlap import overlapping
from metric.core.snapshot.thumbnail import Thumbnail, without_frame

Pair = tuple[str, str]

# A comparison in a row: two numbers of 24 bits, exact in float32, from the other's hash, and 1 for the same scene.
DIGITS = 6
BITS = 4 * DIGITS


class Compared:
    """The comparisons of pictures by the sha256 of their pixels: those that are stored, and those that are new."""

    def __init__(self, pictures: Mapping[str, Thumbnail], cache: VectorCache) -> None:
        self._pictures, self._cache = pictures, cache
        code = code_key(*(f"metric.core.snapshot.{name}" for name in ("likeness", "overlap", "thumbnail")))
        self._keys = {sha256: content_key("same scene", code, sha256) for sha256 in pictures}
        rows = cache.get_many(list(self._keys.values()))
        self._outcomes: dict[str, dict[int, bool]] = defaultdict(dict)
        for sha256, key in self._keys.items():
            if key in rows:
                self._outcomes[sha256] = _from_row(rows[key])

    def same(self, pairs: Collection[Pair]) -> set[Pair]:
        """Those of the pairs that show the same; in each, the lower hash is first."""
        unknown = sorted((one, two) for one, two in pairs if _short(two) not in self._outcomes[one])
        if unknown:
            self._compare(unknown)
        return {(one, two) for one, two in pairs if self._outcomes[one][_short(two)]}

    def _compare(self, pairs: list[Pair]) -> None:
        alike = _showing_the_same(self._pictures, pairs)
        for one, two in pairs:
            self._outcomes[one][_short(two)] = (one, two) in alike
        self._cache.put({self._keys[one]: _as_row(self._outcomes[one]) for one in {one for one, _ in pairs}})


def _showing_the_same(pictures: Mapping[str, Thumbnail], pairs: Collection[Pair]) -> set[Pair]:
    """Those of the pairs that are alike as wholes or have a part in common."""
    names = sorted({name for pair in pairs for name in pair})
    place = {name: number for number, name in enumerate(names)}
    numbers = [(place[one], place[two]) for one, two in pairs]
    shown = [pictures[name] for name in names]
    wanted = np.zeros((len(names), len(names)), dtype=bool)
    wanted[tuple(np.array(numbers).T)] = True
    alike = [*overlapping([without_frame(one) for one in shown], numbers)]
    alike += [(int(i), int(j)) for i, j in np.argwhere(same_view(shown, shown, wanted))]
    return {(names[i], names[j]) for i, j in alike}


def _short(sha256: str) -> int:
    return int(sha256[: 2 * DIGITS], 16)


def _as_row(outcomes: Mapping[int, bool]) -> Vector:
    others = np.array(sorted(outcomes), dtype=np.int64)
    same = [outcomes[other] for other in others.tolist()]
    return np.stack([others >> BITS, others & ((1 << BITS) - 1), same], axis=1).astype(np.float32).ravel()


def _from_row(row: Vector) -> dict[int, bool]:
    high, low, same = row.reshape(-1, 3).astype(np.int64).T
    return dict(zip(((high << BITS) + low).tolist(), (same == 1).tolist(), strict=True))

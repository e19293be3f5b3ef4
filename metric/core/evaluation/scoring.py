"""From the triplets of a snapshot to the distances that a table compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metric.core.distance.base import Metric
from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.cache import VectorCache
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.columns import distances, metric_parts
from metric.core.distance.features import Count, Pair
from metric.core.distance.fetch import Say
from metric.core.distance.images import Picture, open_pictures
from metric.core.distance.named import named
from metric.core.errors import InputError
from metric.core.evaluation.reasons import plain
from metric.core.evaluation.votes import Candidate, Kind
from metric.core.snapshot.folder import Snapshot
from metric.core.snapshot.leaks import Moved, keep_copies_together
from psychometrics.comparisons import Floats

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scoring:
    """A snapshot with its pictures, by the sha256 of their file, and with copies of one photograph in one split."""

    snapshot: Snapshot
    pictures: dict[str, Picture]
    cache: VectorCache
    progress: Progress
    say: Say
    moved: Sequence[Moved] = ()

    @classmethod
    def of(cls, snapshot: Snapshot, cache: VectorCache, progress: Progress, say: Say) -> Scoring:
        """Open every image of the snapshot once. Raises ValueError for one that cannot be read or compared."""
        files = {t.sha256[role]: path for t in snapshot.triplets for role, path in t.files.items()}
        pictures = open_pictures(files, cache, lambda done, total: progress("images", done, total))
        _refuse_other_sizes(snapshot, pictures)
        snapshot, moved = keep_copies_together(snapshot, pictures, cache)
        for one in moved:
            say(
                f"Photograph {one.photograph[:12]} of {one.split} shows the same as {one.shows[:12]} of {one.to}: "
                f"it is used in {one.to}"
            )
        return cls(snapshot, pictures, cache, progress, say, moved)

    def pairs(self, split: str) -> list[Pair]:
        """All (ref, p0) of a split, then all (ref, p1)."""
        triplets = self.snapshot.of(split)
        return [
            (self.pictures[triplet.sha256["ref"]], self.pictures[triplet.sha256[role]])
            for role in ("p0", "p1")
            for triplet in triplets
        ]

    def vectors(self, metric: Metric, split: str, stage: str) -> NDArray[np.float32]:
        """Columns of the pairs of a split, (2, N, D): those of p0, then those of p1.

        Raises BaselineUnavailable for images too small for one of the metric's terms.
        """
        rows = metric_parts(metric).values(self.pairs(split), self.cache, self._counter(stage))
        return rows.reshape(2, len(self.snapshot.of(split)), -1)

    def metric(
        self, key: str, label: str, kind: Kind, metric: Metric, curve: ChoiceCurve | None, split: str
    ) -> Candidate:
        """A row for a metric on a split, with the choice curve of its own training."""
        values = distances(metric, self.pairs(split), self.cache, self._counter(f"evaluate {key}"))
        return Candidate(key, label, kind, values.reshape(2, -1).T, curve=curve)

    def baseline(self, key: str, splits: tuple[str, str]) -> Candidate:
        """A row for a baseline; unavailable, with the reason, where it cannot be computed."""
        baseline = named(key, self.snapshot.viewing).baseline
        count = self._counter(f"evaluate {key}")
        by_split: list[Floats] = []
        try:
            for split in splits:
                values = baseline.distances(self.pairs(split), self.cache, count, self.say)
                by_split.append(values.reshape(2, -1).T)
        except BaselineUnavailable as error:
            self.say(f"{baseline.label} is unavailable: {error}")
            return Candidate(key, baseline.label, "baseline", None, reason=plain(str(error)))
        return Candidate(key, baseline.label, "baseline", by_split[0], by_split[1])

    def _counter(self, stage: str) -> Count:
        return lambda done, total: self.progress(stage, done, total)


def _refuse_other_sizes(snapshot: Snapshot, pictures: Mapping[str, Picture]) -> None:
    for triplet in snapshot.triplets:
        sizes = {role: _size(pictures[sha256]) for role, sha256 in triplet.sha256.items()}
        for role, size in sizes.items():
            if size != sizes["ref"]:
                raise InputError(
                    f"{triplet.files[role]} has {size} pixels, its reference {sizes['ref']}. Export the snapshot again."
                )


def _size(picture: Picture) -> str:
    return f"{picture.width} x {picture.height}"

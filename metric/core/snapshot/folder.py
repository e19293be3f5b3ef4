"""Reads a snapshot folder, and refuses one that is damaged, leaks between splits, or is too small.

The folder is BAPPS's layout (`{split}/{ref,p0,p1}/NNNNNN.png`, `{split}/judge/NNNNNN.npy`) with
`triplets.csv`, `judgments.csv` and a `manifest.json` that names the sha256 of every file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.manifest import ManifestError, files_sha256, read_manifest, verify
from metric.core.config import MINIMUM_JUDGMENTS, MINIMUM_PHOTOGRAPHS
from metric.core.distance.viewing import Viewing, pixels_per_mm, viewing_of
from metric.core.errors import InputError
from psychometrics.numbers import NumberError, read_number
from psychometrics.tables import TableError, read_records

SCHEMA = "closer-snapshot/1"
SPLITS = ("train", "val", "test")
ROLES = ("ref", "p0", "p1")
COUNTS = ("n_p0", "n_p1", "n_tie", "n")
TRIPLET_COLUMNS = ("split", "index", "source", "photograph", "target_bpp", "kind", *COUNTS)
JUDGMENT_COLUMNS = ("triplet_split", "triplet_index", "choice", "side_of_p0")


class SnapshotError(InputError):
    """A snapshot cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class SnapshotTriplet:
    """One reference, its two reconstructions and the votes. `left` and `right` split the votes by where p0 was.

    `place`: SPLIT/INDEX in the files of the snapshot, also where another `split` is worked with.
    `left` and `right`: (n_p0, n_p1, n_tie) of judgments that showed p0 on that side.
    """

    split: str
    place: str
    source: str
    photograph: str
    kind: str
    target_bpp: str
    n_p0: int
    n_p1: int
    n_tie: int
    left: tuple[int, int, int]
    right: tuple[int, int, int]
    files: Mapping[str, Path]
    sha256: Mapping[str, str]

    @property
    def index(self) -> str:
        """The name of its files in the snapshot."""
        return self.place.partition("/")[2]

    @property
    def n(self) -> int:
        """Judgments of this triplet."""
        return self.n_p0 + self.n_p1 + self.n_tie


@dataclass(frozen=True)
class Snapshot:
    """A verified snapshot. `data_hash` depends on the contents of its files and on nothing else.

    `viewing`: how large pictures were to those who judged, None where no session measured its screen.
    """

    folder: Path
    manifest: Mapping[str, Any]
    triplets: tuple[SnapshotTriplet, ...]
    data_hash: str
    viewing: Viewing | None = None

    @property
    def simulated(self) -> bool:
        """Whether any judgment was made by a simulated annotator."""
        return bool(self.manifest["simulated"])

    def of(self, split: str) -> tuple[SnapshotTriplet, ...]:
        """The triplets of one split, in the order of triplets.csv."""
        return tuple(triplet for triplet in self.triplets if triplet.split == split)


def read_snapshot(folder: Path) -> Snapshot:
    """Read and verify a snapshot: every file's hash, every count, and that no photograph is in two splits.

    Raises SnapshotError.
    """
    manifest = _read_manifest(folder)
    files = manifest["files"]
    judgments = _rows(folder / "judgments.csv", JUDGMENT_COLUMNS, ("px_per_mm", "zoom"))
    votes = _votes_by_side(folder, judgments)
    rows = _rows(folder / "triplets.csv", TRIPLET_COLUMNS)
    triplets = tuple(_triplet(folder, row, files, votes) for row in rows)
    _refuse_repeats(triplets)
    _refuse_unlisted(triplets, votes)
    _refuse_leaks(triplets, manifest)
    return Snapshot(
        folder, MappingProxyType(manifest), triplets, files_sha256(files), _viewing(folder, judgments)
    )


def counts_by_side(
    triplets: Sequence[SnapshotTriplet], side_bias: bool
) -> tuple[NDArray[np.int64], tuple[float, ...]]:
    """Votes (N, S, 3) for p0, p1 and neither, and the S sides: on the left p0 means p1 on the right, +1."""
    counts = np.array([(t.left, t.right) for t in triplets], dtype=np.int64).reshape(-1, 2, 3)
    if side_bias:
        return counts, (1.0, -1.0)
    return counts.sum(axis=1, keepdims=True), (0.0,)


def require_trainable(
    snapshot: Snapshot,
    *,
    photographs: int = MINIMUM_PHOTOGRAPHS,
    judgments: int = MINIMUM_JUDGMENTS,
    tested: bool = True,
) -> None:
    """Raises SnapshotError unless there is enough to fit on train and, if `tested`, something to report on in test."""
    train = snapshot.of("train")
    number = len({triplet.photograph for triplet in train})
    if number < photographs:
        raise SnapshotError(
            f"The train split has {number} photograph(s); fitting needs at least {photographs}. "
            "Add photographs to the study, have them judged, and make a new snapshot."
        )
    votes = sum(triplet.n for triplet in train)
    if votes < judgments:
        raise SnapshotError(
            f"The train split has {votes} judgments; fitting needs at least {judgments}. "
            "Collect more judgments and make a new snapshot."
        )
    require_tested(snapshot, tested=tested)


def require_tested(snapshot: Snapshot, *, tested: bool = True) -> None:
    """Raises SnapshotError where the test split is empty, if it is to be `tested`."""
    if tested and not snapshot.of("test"):
        raise SnapshotError(
            "The test split has no judged triplet, so the result could not be evaluated. "
            "Add photographs, or collect judgments on those of the test split, and make a new snapshot. "
            "Copies and crops of photographs of the train split do not count."
        )


def all_in_train(snapshot: Snapshot) -> Snapshot:
    """The snapshot with every triplet in its train split."""
    return replace(snapshot, triplets=tuple(replace(triplet, split="train") for triplet in snapshot.triplets))


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a snapshot whose files are those that it lists. Raises SnapshotError."""
    try:
        manifest = read_manifest(folder, SCHEMA)
        verify(folder, manifest)
    except ManifestError as error:
        raise SnapshotError(f"{error}. Export the snapshot again.") from error
    for name, kind in (("simulated", bool), ("splits", dict)):
        if not isinstance(manifest.get(name), kind):
            raise SnapshotError(
                f"The manifest of {folder} has no usable {name!r}. Export the snapshot again."
            )
    for name in ("triplets.csv", "judgments.csv"):
        if name not in manifest["files"]:
            raise SnapshotError(f"The manifest of {folder} does not list {name}. Export the snapshot again.")
    return manifest


def _rows(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[dict[str, str]]:
    try:
        return [row for _, row in read_records(path, columns, optional)]
    except TableError as error:
        raise SnapshotError(f"{error} Export the snapshot again.") from error


def _viewing(folder: Path, judgments: Sequence[Mapping[str, str]]) -> Viewing | None:
    try:
        return viewing_of([pixels_per_mm(row) for row in judgments])
    except ValueError as error:
        raise SnapshotError(
            f"{folder / 'judgments.csv'} has a px_per_mm or a zoom that is no positive number: {error}."
        ) from error


def _votes_by_side(
    folder: Path, judgments: Sequence[Mapping[str, str]]
) -> dict[tuple[str, str], dict[str, list[int]]]:
    votes: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(
        lambda: {"left": [0, 0, 0], "right": [0, 0, 0]}
    )
    path = folder / "judgments.csv"
    for row in judgments:
        if row["choice"] not in ("p0", "p1", "tie") or row["side_of_p0"] not in ("left", "right"):
            raise SnapshotError(f"{path} has a choice {row['choice']!r} on side {row['side_of_p0']!r}.")
        sides = votes[row["triplet_split"], row["triplet_index"]]
        sides[row["side_of_p0"]][("p0", "p1", "tie").index(row["choice"])] += 1
    return dict(votes)


def _triplet(
    folder: Path,
    row: Mapping[str, str],
    files: Mapping[str, str],
    votes: Mapping[tuple[str, str], Mapping[str, list[int]]],
) -> SnapshotTriplet:
    split, index = row["split"], row["index"]
    place = f"{split}/{index}"
    if split not in SPLITS:
        raise SnapshotError(f"triplets.csv names a split {split!r}. Known: {', '.join(SPLITS)}.")
    names = {role: f"{split}/{role}/{index}.png" for role in ROLES}
    judge = f"{split}/judge/{index}.npy"
    unlisted = [name for name in (*names.values(), judge) if name not in files]
    if unlisted:
        raise SnapshotError(f"The manifest does not list {', '.join(unlisted)}. Export the snapshot again.")
    n_p0, n_p1, n_tie, n = (_whole(row[name], place) for name in COUNTS)
    sides = votes.get((split, index), {"left": [0, 0, 0], "right": [0, 0, 0]})
    counted = [left + right for left, right in zip(sides["left"], sides["right"], strict=True)]
    if n == 0 or n != n_p0 + n_p1 + n_tie or counted != [n_p0, n_p1, n_tie]:
        raise SnapshotError(f"The counts of {place} in triplets.csv and judgments.csv disagree, or are zero.")
    try:
        share = read_number(folder / judge)
    except NumberError as error:
        raise SnapshotError(f"{error} Export the snapshot again.") from error
    if abs(share - (n_p1 + n_tie / 2) / n) > 1e-6:
        raise SnapshotError(f"{judge} says {share:.4f}, the votes say {(n_p1 + n_tie / 2) / n:.4f}.")
    return SnapshotTriplet(
        split=split,
        place=place,
        source=row["source"],
        photograph=row["photograph"],
        kind=row["kind"],
        target_bpp=row["target_bpp"],
        n_p0=n_p0,
        n_p1=n_p1,
        n_tie=n_tie,
        left=(sides["left"][0], sides["left"][1], sides["left"][2]),
        right=(sides["right"][0], sides["right"][1], sides["right"][2]),
        files={role: folder / name for role, name in names.items()},
        sha256={role: files[name] for role, name in names.items()},
    )


def _whole(text: str, place: str) -> int:
    if not text.isdecimal():
        raise SnapshotError(f"The counts of {place} in triplets.csv must be whole numbers, found {text!r}.")
    return int(text)


def _refuse_repeats(triplets: Iterable[SnapshotTriplet]) -> None:
    seen = set()
    for triplet in triplets:
        if triplet.place in seen:
            raise SnapshotError(f"triplets.csv lists {triplet.place} twice.")
        seen.add(triplet.place)


def _refuse_unlisted(triplets: Iterable[SnapshotTriplet], votes: Iterable[tuple[str, str]]) -> None:
    listed = {triplet.place for triplet in triplets}
    unlisted = sorted({"/".join(place) for place in votes} - listed)
    if unlisted:
        raise SnapshotError(
            f"judgments.csv has answers to {unlisted[0]}, which triplets.csv does not list ({len(unlisted)} in all). "
            f"Export the snapshot again."
        )


def _refuse_leaks(triplets: Iterable[SnapshotTriplet], manifest: Mapping[str, Any]) -> None:
    """The same photograph, source or reference file in two splits would let the test score flatter itself."""
    splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for triplet in triplets:
        splits["photograph", triplet.photograph].add(triplet.split)
        splits["source", triplet.source].add(triplet.split)
        splits["reference image", triplet.sha256["ref"]].add(triplet.split)
    for split, described in manifest["splits"].items():
        photographs = described.get("photographs", []) if isinstance(described, dict) else None
        if not isinstance(photographs, list):
            raise SnapshotError(
                f"The manifest does not list the photographs of {split}. Export the snapshot again."
            )
        for photograph in photographs:
            splits["photograph", str(photograph)].add(split)
    leaks = sorted(key for key, parts in splits.items() if len(parts) > 1)
    if leaks:
        what, sha256 = leaks[0]
        where = " and ".join(sorted(splits[what, sha256]))
        raise SnapshotError(
            f"Leak: {what} {sha256[:12]} is in {where} ({len(leaks)} in all). Scores on such a snapshot "
            f"would be too optimistic. Export it again with splits by photograph."
        )

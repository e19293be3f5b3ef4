"""Which split a photograph belongs to: decided by its hash alone, permanently.

Everything made from a photograph (its crops, their reconstructions, their triplets) follows it, so no picture
that a metric is tested on was seen while it was fitted. There is no setting, on purpose: a split that can be
changed is a split that leaks.
"""

import re
from collections.abc import Iterable

from psychometrics.draws import uniform

SPLITS = ("train", "val", "test")
TRAIN_SHARE = 0.6
VAL_SHARE = 0.2

# Frozen for ever: another salt would move photographs between splits, and old test results would be void. The
# number was chosen once, before any judgment, so that the demo's photographs reach all three splits.
SALT = "closer-split/310"

_SHA256 = re.compile(r"[0-9a-f]{64}")


class LeakError(ValueError):
    """One photograph stands in two splits, or in another split than its hash says."""


def assign_split(photograph_sha256: str) -> str:
    """Return "train", "val" or "test" for a photograph, 60 / 20 / 20 in expectation.

    `photograph_sha256` is the sha256 of the whole photograph's pixels, 64 lower-case hex digits; anything
    else raises ValueError, because a second spelling of one hash would be a second split.
    """
    if not _SHA256.fullmatch(photograph_sha256):
        raise ValueError(f"{photograph_sha256!r} is not a sha256 of 64 lower-case hex digits")
    place = uniform(f"{SALT}:{photograph_sha256}")
    if place < TRAIN_SHARE:
        return "train"
    return "val" if place < TRAIN_SHARE + VAL_SHARE else "test"


def check_disjoint(rows: Iterable[tuple[str, str]]) -> None:
    """Raise LeakError unless every (photograph sha256, split) row agrees with `assign_split`.

    That is stronger than disjoint: a folder whose splits are disjoint but drawn otherwise would leak as
    soon as a second snapshot of the same photographs is used beside it.
    """
    for photograph, split in rows:
        own = assign_split(photograph)
        if split != own:
            raise LeakError(
                f"photograph {photograph} is listed under {split!r} but belongs to {own!r}: "
                "these rows were not split by photograph. Export the snapshot again"
            )

"""Figures with paired intervals: each codec at each rate beside the originals and the anchor codec.

All figures of a rate are over the photographs that every codec reached at that rate, so that differences compare
like with like. Intervals are percentiles of a bootstrap over photographs; all codecs share its draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from codecs_zoo.downstream.detection import SURE, Boxes
from codecs_zoo.downstream.folder import Annotations
from codecs_zoo.downstream.precision import OVERLAPS, average_precision, match
from codecs_zoo.downstream.predict import Prediction
from codecs_zoo.downstream.segmentation import CLASSES, confusion, mean_iou, shows_person
from codecs_zoo.sweep.plan import Row

Floats = npt.NDArray[np.float64]

RESAMPLES, SEED = 1000, 2002
MOST_FAILED = 0.25
"""Of the photographs: a codec that fails on more of them at a rate would take too many from all others."""
ORIGINAL = "original"
DETECTION, SEGMENTATION = ("ap50", "ap75", "ap"), ("miou", "person_iou")
LABELS = {"ap50": "AP50", "ap75": "AP75", "ap": "AP", "miou": "mIoU", "person_iou": "person IoU"}


@dataclass(frozen=True)
class Estimate:
    """A figure in 0..1 (or a difference, or a ratio of two) with its 95 % interval; None where unknown."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Result:
    """One codec at one rate. `figures`, and by figure the difference to the originals, the share of the originals'
    figure that is kept, and the difference to the anchor."""

    codec: str
    target_bpp: float | None
    photographs: int
    figures: Mapping[str, Estimate]
    less_than_original: Mapping[str, Estimate]
    kept: Mapping[str, Estimate]
    less_than_anchor: Mapping[str, Estimate]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Truth:
    """What predictions are held against, by photograph; `agreement` says that it is the original's own results."""

    annotations: Mapping[str, Annotations]
    agreement: bool


def ground_truth(annotations: Mapping[str, Annotations], originals: Mapping[str, Prediction]) -> Truth:
    """The annotations; where the folder has none at all, detections in the originals."""
    if any(each.boxes is not None or each.labels is not None for each in annotations.values()):
        return Truth(annotations, agreement=False)
    seen = {
        sha256: Annotations(
            None if one.boxes is None else one.boxes.take(one.boxes.scores >= SURE), one.labels
        )
        for sha256, one in originals.items()
    }
    return Truth(seen, agreement=True)


def note_on_persons(truth: Truth) -> list[str]:
    """A line where there are masks and no person in them: their IoU is unknown then, not 0."""
    masks = [each.labels for each in truth.annotations.values() if each.labels is not None]
    if not masks or any(shows_person(each) for each in masks):
        return []
    where = "seen in the originals" if truth.agreement else "annotated in masks/"
    return [f"No person is {where}, so the IoU of persons is not evaluated."]


def results_at(
    rate: float,
    rows: Sequence[Row],
    predictions: Mapping[str, Mapping[str, Prediction]],
    truth: Truth,
    anchor: str,
) -> tuple[list[Result], list[str]]:
    """Results of the originals and of every codec at one rate, and the names of the photographs that are missing.

    `predictions`: by codec ("original" too) and sha256. A photograph that some codec did not reach counts for none; a
    codec that does not reach the rate on many (`out_of_reach`) has no results at it.
    """
    absent = out_of_reach(rows, rate)
    at_rate = [row for row in rows if row.target_bpp == rate and row.codec not in absent]
    missing = {row.sha256: row.photograph for row in at_rate if row.failed}
    photographs = [sha256 for sha256 in dict.fromkeys(row.sha256 for row in at_rate) if sha256 not in missing]
    if not photographs:
        return [], sorted(missing.values())
    weights = _weights(len(photographs))
    codecs = [ORIGINAL, *dict.fromkeys(row.codec for row in at_rate)]
    scores = {
        codec: _scores([predictions[codec][one] for one in photographs], photographs, truth, weights)
        for codec in codecs
    }
    return [_result(codec, rate, len(photographs), scores, anchor) for codec in codecs], sorted(
        missing.values()
    )


def out_of_reach(rows: Sequence[Row], rate: float) -> dict[str, int]:
    """By codec, on how many photographs it failed: those that failed on more than MOST_FAILED of them at the rate."""
    at_rate = [row for row in rows if row.target_bpp == rate]
    made, failed = Counter(row.codec for row in at_rate), Counter(row.codec for row in at_rate if row.failed)
    return {codec: count for codec, count in failed.items() if count > MOST_FAILED * made[codec]}


def _weights(photographs: int) -> Floats:
    """(1 + RESAMPLES, photographs): each once, then the draws."""
    rng = np.random.default_rng(SEED)
    draws = rng.multinomial(photographs, np.full(photographs, 1 / photographs), size=RESAMPLES)
    return np.concatenate([np.ones((1, photographs)), draws]).astype(np.float64)


def _scores(
    seen: Sequence[Prediction], photographs: Sequence[str], truth: Truth, weights: Floats
) -> dict[str, Floats]:
    """By figure: its value for every weighting."""
    true = [truth.annotations[sha256] for sha256 in photographs]
    scores: dict[str, Floats] = {}
    boxed = [n for n, each in enumerate(true) if each.boxes is not None and seen[n].boxes is not None]
    if boxed:
        scores |= _detection(
            [seen[n].boxes for n in boxed], [true[n].boxes for n in boxed], weights[:, boxed]
        )
    labelled = [n for n, each in enumerate(true) if each.labels is not None and seen[n].labels is not None]
    if labelled:
        pairs = [(seen[n].labels, true[n].labels) for n in labelled]
        confusions = np.array([confusion(*pair) for pair in pairs]).reshape(-1, CLASSES, 3)  # type: ignore[arg-type]
        values = np.array([mean_iou(confusions, draw) for draw in weights[:, labelled]])
        scores |= dict(zip(SEGMENTATION, values.T, strict=True))
    return scores


def _detection(
    seen: Sequence[Boxes | None], true: Sequence[Boxes | None], weights: Floats
) -> dict[str, Floats]:
    matches = match([boxes or Boxes.none() for boxes in seen], [boxes or Boxes.none() for boxes in true])
    precision = average_precision(matches, weights)
    at = {name: int(np.argmin(abs(OVERLAPS - overlap))) for name, overlap in (("ap50", 0.5), ("ap75", 0.75))}
    return {name: precision[:, place] for name, place in at.items()} | {"ap": precision.mean(1)}


def _result(
    codec: str, rate: float, photographs: int, scores: Mapping[str, Mapping[str, Floats]], anchor: str
) -> Result:
    own, original = scores[codec], scores[ORIGINAL]
    against = scores.get(anchor, {}) if codec not in (ORIGINAL, anchor) else {}
    compressed = own if codec != ORIGINAL else {}
    with np.errstate(invalid="ignore", divide="ignore"):
        return Result(
            codec,
            rate,
            photographs,
            {name: _estimate(values) for name, values in own.items()},
            {name: _estimate(values - original[name]) for name, values in compressed.items()},
            {name: _estimate(values / original[name]) for name, values in compressed.items()},
            {name: _estimate(own[name] - values) for name, values in against.items()},
        )


def _estimate(values: Floats) -> Estimate:
    """The first value with the percentiles of the others; no interval where draws lack the figure."""
    value, draws = float(values[0]), values[1:]
    if not np.isfinite(value):
        return Estimate(None, None, None)
    known = draws[np.isfinite(draws)]
    if len(known) < 0.9 * len(draws):
        return Estimate(value, None, None)
    low, high = np.percentile(known, [2.5, 97.5])
    return Estimate(value, float(low), float(high))

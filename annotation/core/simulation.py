"""Annotators who do not exist: a hidden rule and noisy choosers, for trying the circle without people.

Everything made with this is marked simulated and never mixes with people's judgments.

The hidden rule is plausible and on purpose neither PSNR nor a distance of network features, so that a metric
fitted on simulated judgments has something to find that no baseline knows already:

- luma error at three scales, in contrast units, divided by the local contrast that masks it,
- blur: detail of the original that is gone weighs more than detail that was added,
- block edges: steps across the 8 x 8 grid that the original does not have,
- colour error, seen only coarsely.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Plane = NDArray[np.float64]
Picture = NDArray[np.uint8]

_SCALES = (0.0, 1.5, 4.0)
_SCALE_WEIGHTS = (0.4, 1.0, 1.4)
_BLUR_WEIGHT = 0.8
_BLOCK_WEIGHT = 0.6
_COLOUR_WEIGHT = 0.9
# Contrast, in 0..255 steps, below which masking does not help any more.
_MASK_FLOOR = 6.0
_BLOCK = 8


@dataclass(frozen=True, slots=True)
class SimulatedAnnotator:
    """How one simulated annotator chooses; `sharpness` is logits per unit of log distance ratio.

    `lapse` is the share of answers given without looking, `side_bias` logits in favour of the left,
    `tie_width` the half-width, in logits, inside which they cannot tell, `pace_ms` their median response
    time.
    """

    seed: int
    sharpness: float
    lapse: float
    side_bias: float
    tie_width: float
    pace_ms: float


def make_annotator(seed: int) -> SimulatedAnnotator:
    """Invent an annotator: the same seed gives the same one."""
    draw = np.random.default_rng([seed, 1])
    return SimulatedAnnotator(
        seed=seed,
        sharpness=float(draw.uniform(3.0, 7.0)),
        lapse=float(draw.uniform(0.0, 0.06)),
        side_bias=float(draw.normal(0.0, 0.12)),
        tie_width=float(draw.uniform(0.1, 0.5)),
        pace_ms=float(draw.uniform(1_800.0, 5_000.0)),
    )


def hidden_distance(original: Picture, reconstruction: Picture) -> float:
    """Return how far a reconstruction looks from its original: 0 for equal pictures, larger is worse.

    Both are uint8, H x W x 3, of one shape; anything else raises ValueError.
    """
    for picture in (original, reconstruction):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"need uint8 pictures of H x W x 3, got {picture.dtype} {picture.shape}")
    if original.shape != reconstruction.shape:
        raise ValueError(f"the pictures differ in size: {original.shape} and {reconstruction.shape}")
    luma, blue, red = _opponent(original)
    luma_x, blue_x, red_x = _opponent(reconstruction)
    colour = math.hypot(_rms(gaussian_filter(blue - blue_x, 3.0)), _rms(gaussian_filter(red - red_x, 3.0)))
    parts = (
        _masked_error(luma, luma_x),
        _BLUR_WEIGHT * _lost_detail(luma, luma_x),
        _BLOCK_WEIGHT * _block_edges(luma, luma_x),
        _COLOUR_WEIGHT * colour / _MASK_FLOOR,
    )
    return math.fsum(parts)


def choose(
    annotator: SimulatedAnnotator, left: float, right: float, *, trial: int, allow_tie: bool = False
) -> str:
    """Return "left", "right" or "tie" for the hidden distances of the left and the right picture.

    The answer is drawn from a logistic curve over the log ratio of the distances, with lapses and a side
    bias; `trial` numbers the pair for this annotator, so that the same call gives the same answer.
    """
    draw = np.random.default_rng([annotator.seed, 2, trial])
    if draw.random() < annotator.lapse:
        return "left" if draw.random() < 0.5 else "right"
    # A floor keeps two near-perfect reconstructions from being distinguished by a vanishing difference.
    ratio = math.log((right + 0.01) / (left + 0.01))
    felt = annotator.sharpness * ratio + annotator.side_bias + float(draw.logistic())
    if allow_tie and abs(felt) < annotator.tie_width:
        return "tie"
    return "left" if felt > 0 else "right"


def response_ms(annotator: SimulatedAnnotator, *, trial: int, shortest: float = 1_000.0) -> float:
    """Return a response time in ms, log-normal around the annotator's pace, never under `shortest`."""
    draw = np.random.default_rng([annotator.seed, 3, trial])
    return max(shortest, annotator.pace_ms * float(np.exp(0.35 * draw.standard_normal())))


def _opponent(picture: Picture) -> tuple[Plane, Plane, Plane]:
    """Split into luma and two colour differences, all in 0..255 steps (weights of ITU-R BT.601)."""
    red, green, blue = np.moveaxis(picture.astype(np.float64), 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma, 0.564 * (blue - luma), 0.713 * (red - luma)


def _masked_error(luma: Plane, other: Plane) -> float:
    """Pool luma error over three scales with exponent 3: the worst places count more than the average one."""
    mask = _MASK_FLOOR + _contrast(luma)
    error = luma - other
    pooled = [
        weight * float(np.mean(np.abs(_smooth(error, scale) / mask) ** 3)) ** (1 / 3)
        for scale, weight in zip(_SCALES, _SCALE_WEIGHTS, strict=True)
    ]
    return math.fsum(pooled)


def _lost_detail(luma: Plane, other: Plane) -> float:
    was, now = _contrast(luma), _contrast(other)
    lost = np.maximum(was - now, 0.0) + 0.3 * np.maximum(now - was, 0.0)
    return float(np.mean(lost / (_MASK_FLOOR + was)))


def _block_edges(luma: Plane, other: Plane) -> float:
    """Measure steps across the block grid in the error alone, over the steps it has elsewhere."""
    error = other - luma
    excess = [_grid_excess(np.abs(np.diff(error, axis=axis)), axis) for axis in (0, 1)]
    return math.fsum(excess) / _MASK_FLOOR


def _grid_excess(steps: Plane, axis: int) -> float:
    on_grid = np.arange(steps.shape[axis]) % _BLOCK == _BLOCK - 1
    if not on_grid.any() or on_grid.all():
        return 0.0
    across, inside = steps.compress(on_grid, axis=axis), steps.compress(~on_grid, axis=axis)
    return max(0.0, float(across.mean() - inside.mean()))


def _contrast(luma: Plane) -> Plane:
    """Return the local standard deviation in a soft window of a few pixels."""
    mean = gaussian_filter(luma, 2.0)
    return np.sqrt(np.maximum(gaussian_filter(luma * luma, 2.0) - mean * mean, 0.0))


def _smooth(plane: Plane, scale: float) -> Plane:
    return gaussian_filter(plane, scale) if scale else plane


def _rms(plane: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(plane * plane)))

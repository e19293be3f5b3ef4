"""Quality figures by name: what `sweep --metrics` takes, with the direction in which each is better.

A name is `psnr`, `ssim`, `ms-ssim`, `lpips-alex`, `lpips-vgg`, `lpips-squeeze`, the folder of a metric version that
training left behind, a metric of another package, one that an installed package offers (`closer.metrics`), or a
callable as `module:function`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codecs_zoo.contract import Pixels
from codecs_zoo.measure import ms_ssim, psnr, ssim
from metric.core.config import RIVALS
from metric.core.offered import entry_points

if TYPE_CHECKING:
    import torch

    from metric.core.distance.base import Metric

Compare = Callable[[Pixels, Pixels], float | None]

TRUNKS = ("alex", "vgg", "squeeze")
UNSEEN_TRUNKS = ("vgg", "squeeze", "alex")
"""In which order a trunk is sought that a file was not tuned on: that closest to people first."""
SSIM_SMALLEST_SIDE = 11


class QualityError(ValueError):
    """A figure that nobody knows, or whose weights or folder can't be read."""


@dataclass(frozen=True)
class Figure:
    """A figure of a reconstruction against its source, both uint8 HxWx3; None where it is not defined.

    `axis` maps a value to the scale on which curves are drawn and integrated: SSIM and MS-SSIM, which crowd
    below 1, in dB.
    """

    name: str
    label: str
    higher_is_better: bool
    of: Compare
    axis_label: str = ""
    in_db: bool = False

    def spelt(self, value: float | None) -> str:
        """A value in words: with its unit, or why there is none."""
        if value is None:
            return "undefined (the picture is too small)"
        if self.name == "psnr":
            return "infinite (equal pixels)" if math.isinf(value) else f"{value:.2f} dB"
        return f"{value:.4f}"

    def axis(self, value: float) -> float:
        """The value on the scale of the axis: -10 log10(1 - x) where that is in dB, itself elsewhere."""
        return -10 * math.log10(max(1 - value, 1e-6)) if self.in_db else value


def figure(name: str) -> Figure:
    """The figure called `name`, ready to use. Raises QualityError that says what there is.

    Weights are read here, once, so that a sweep that can't be measured does not begin.
    """
    if name in PLAIN:
        return PLAIN[name]
    if name.startswith("lpips-") and name.removeprefix("lpips-") in TRUNKS:
        trunk = name.removeprefix("lpips-")
        return _distance(name, f"LPIPS ({trunk})", f"stock {trunk}")
    if Path(name, "manifest.json").is_file():
        folder = Path(name).resolve()
        return _distance(name, f"Closer ({folder.name})", str(folder))
    if name in RIVALS or ":" in name or name in entry_points():
        return _rival(name)
    known = ", ".join([*PLAIN, *(f"lpips-{trunk}" for trunk in TRUNKS), *RIVALS, *entry_points()])
    raise QualityError(
        f"There is no quality figure named {name!r}. Use {known}, module:function, or a metric version's folder."
    )


def _rival(name: str) -> Figure:
    """A metric of another package, or a callable; what it can't say of a pair is not defined there, and printed."""
    from metric.core.distance.baselines import BaselineUnavailable
    from metric.core.distance.rivals import one_value, open_rival

    try:
        label, higher, compare = open_rival(name)
    except BaselineUnavailable as error:
        raise QualityError(f"{name} is unavailable: {error}") from error

    def of(a: Pixels, b: Pixels) -> float | None:
        try:
            return one_value(compare, a, b)
        except BaselineUnavailable as error:
            print(f"{name}: no value for a pair: {error}", file=sys.stderr)
            return None

    return Figure(name, label, higher, of, label if higher else f"{label}, lower is closer")


def figures(names: Sequence[str]) -> list[Figure]:
    """One for each name, in their order. Raises QualityError for an unknown name or a repeated one."""
    if len(set(names)) != len(names):
        raise QualityError(f"A quality figure is named twice: {', '.join(names)}.")
    return [figure(name) for name in names]


def tuned_notes(tuned_on: Sequence[str], pixels: Pixels, x_hat: Pixels) -> list[str]:
    """What to say of a file that was tuned: on which figures, and its values by others."""
    unseen, missing = unseen_figures(tuned_on)
    values = [f"{one.label} {one.spelt(one.of(pixels, x_hat))}" for one in unseen]
    return [
        f"tuned on {', '.join(tuned_on)}. Evaluate this file by other metrics, or with people.",
        f"not tuned on: {', '.join([*values, *missing])}.",
    ]


def unseen_figures(tuned_on: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """PSNR, MS-SSIM and LPIPS through one trunk, as far as they are not in `tuned_on`; and why the trunk is missing.

    The trunk is one that is on this machine: nothing is downloaded for it.
    """
    from metric.core.distance.weights import availability

    plain = [PLAIN[name] for name in ("psnr", "ms-ssim") if name not in tuned_on]
    trunks = [trunk for trunk in UNSEEN_TRUNKS if f"lpips-{trunk}" not in tuned_on]
    if not trunks:
        return plain, ["LPIPS was tuned through every trunk"]
    present = next((trunk for trunk in trunks if availability(trunk).available), None)
    if present is None:
        get = f"python -m metric.core.distance.weights {trunks[0]}"
        return plain, [f"LPIPS ({trunks[0]}) is not on this machine; get it by {get}"]
    return [*plain, figure(f"lpips-{present}")], []


def as_figures_are_named(tuned_on: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """`tuned_on` with a metric version's folder spelt as it is among `names`, so that one figure has one name."""
    spelt = {Path(name).resolve(): name for name in names if Path(name, "manifest.json").is_file()}
    return tuple(dict.fromkeys(spelt.get(Path(one).resolve(), one) for one in tuned_on))


def _distance(name: str, label: str, which: str) -> Figure:
    metric = _loaded(which)

    def of(a: Pixels, b: Pixels) -> float | None:
        if min(a.shape[:2]) < metric.minimum_side:
            return None
        import torch

        with torch.inference_mode():
            return float(metric(_as_image(a), _as_image(b)))

    return Figure(name, label, False, of, f"{label}, lower is closer")


@cache
def _loaded(which: str) -> Metric:
    """The metric; `which` is "stock NET" or a folder."""
    from metric.core import LPIPS, load
    from metric.core.distance.checkpoint import CheckpointError
    from metric.core.distance.weights import TrunkUnavailable

    try:
        return LPIPS(which.removeprefix("stock ")) if which.startswith("stock ") else load(which)
    except (CheckpointError, TrunkUnavailable) as error:
        raise QualityError(str(error)) from error


def _as_image(pixels: Pixels) -> torch.Tensor:
    import torch

    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1).unsqueeze(0)


def _ssim(a: Pixels, b: Pixels) -> float | None:
    return ssim(a, b) if min(a.shape[:2]) >= SSIM_SMALLEST_SIDE else None


PLAIN = {
    one.name: one
    for one in (
        Figure("psnr", "PSNR", True, psnr, "PSNR (dB)"),
        Figure("ssim", "SSIM", True, _ssim, "SSIM (dB)", in_db=True),
        Figure("ms-ssim", "MS-SSIM", True, ms_ssim, "MS-SSIM (dB)", in_db=True),
    )
}

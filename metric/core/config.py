"""The settings of a training run. Needs no torch and no scipy: a web process that asks for a run should not
load it.
"""

from __future__ import annotations

from dataclasses import dataclass

NETS = ("alex", "vgg", "squeeze")
BASELINE_KEYS = ("psnr", "ssim", "ms-ssim", "lpips-alex", "lpips-vgg", "lpips-squeeze")

# Penalties that cross-validation chooses from, from the stock heads to a free fit.
STRENGTHS = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
# Bootstrap samples behind each interval.
RESAMPLES = 2000
# Fewer in the train split can't be fitted and cross-validated.
MINIMUM_PHOTOGRAPHS = 2
MINIMUM_JUDGMENTS = 30


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides the snapshot; stored with its result.

    `kind`: "heads", the only one so far. `strengths`: penalties that cross-validation chooses from.
    `side_bias`: fit the annotators' habit of picking one side as a free term. `baselines`: keys of
    BASELINE_KEYS. `device`: "auto" takes a GPU when there is one. Raises ValueError for what is not known.
    """

    net: str = "alex"
    kind: str = "heads"
    strengths: tuple[float, ...] = STRENGTHS
    folds: int = 5
    seed: int = 0
    side_bias: bool = True
    resamples: int = RESAMPLES
    baselines: tuple[str, ...] = BASELINE_KEYS
    minimum_photographs: int = MINIMUM_PHOTOGRAPHS
    minimum_judgments: int = MINIMUM_JUDGMENTS
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.net not in NETS:
            raise ValueError(f"Unknown trunk {self.net!r}. Known: {', '.join(NETS)}.")
        if self.kind != "heads":
            raise ValueError(f"Unknown kind {self.kind!r}. Known: heads.")
        unknown = [key for key in self.baselines if key not in BASELINE_KEYS]
        if unknown:
            raise ValueError(f"Unknown baseline {', '.join(unknown)}. Known: {', '.join(BASELINE_KEYS)}.")
        if self.folds < 2 or not self.strengths or min(self.strengths) <= 0:
            raise ValueError("folds must be at least 2, and strengths a list of numbers above zero.")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"Unknown device {self.device!r}. Known: auto, cpu, cuda.")

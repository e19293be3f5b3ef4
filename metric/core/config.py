"""The settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from metric.core.baselines import BASELINES
from metric.core.evaluate import RESAMPLES
from metric.core.fit import STRENGTHS
from metric.core.snapshot import MINIMUM_JUDGMENTS, MINIMUM_PHOTOGRAPHS
from metric.core.trunks import shape_of


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides the snapshot; stored with its result.

    `kind`: "heads", the only one so far. `strengths`: penalties that cross-validation chooses from.
    `side_bias`: fit the annotators' habit of picking one side as a free term. `baselines`: keys of
    `baselines.BASELINES`. `device`: "auto" takes a GPU when there is one. Raises ValueError for what is not
    known.
    """

    net: str = "alex"
    kind: str = "heads"
    strengths: tuple[float, ...] = STRENGTHS
    folds: int = 5
    seed: int = 0
    side_bias: bool = True
    resamples: int = RESAMPLES
    baselines: tuple[str, ...] = tuple(BASELINES)
    minimum_photographs: int = MINIMUM_PHOTOGRAPHS
    minimum_judgments: int = MINIMUM_JUDGMENTS
    device: str = "auto"

    def __post_init__(self) -> None:
        shape_of(self.net)
        if self.kind != "heads":
            raise ValueError(f"Unknown kind {self.kind!r}. Known: heads.")
        unknown = [key for key in self.baselines if key not in BASELINES]
        if unknown:
            raise ValueError(f"Unknown baseline {', '.join(unknown)}. Known: {', '.join(BASELINES)}.")
        if self.folds < 2 or not self.strengths or min(self.strengths) <= 0:
            raise ValueError("folds must be at least 2, and strengths a list of numbers above zero.")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"Unknown device {self.device!r}. Known: auto, cpu, cuda.")

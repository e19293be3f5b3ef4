"""The settings of a training of the networks that all photographs share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codecs_zoo.contract import CodecError

DEVICES = ("cpu", "cuda")
PARTS = ("all", "decoder", "staged")


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that shapes the weights, beside the photographs and, where the clock ends it, the machine's speed."""

    data: tuple[str, ...]
    minutes: float = 0.0
    """Of training, reading photographs not counted; 0: as long as `steps` take."""
    steps: int = 0
    """0: as many as `minutes` allow."""
    device: str = "cpu"
    """cpu or cuda."""
    batch: int = 32
    crop: int = 256
    """Side of a crop in pixels, a multiple of 64."""
    learning_rate: float = 1e-3
    warm_up: int = 200
    """Steps."""
    mean_over: int = 500
    """Steps that the weights' means reach back, roughly."""
    seed: int = 0
    start: str = ""
    """Weights to start from."""
    parts: str = "all"
    """What is trained: `all`; the `decoder`, with analysis and steps as they are; or the `staged` contexts alone,
    for which nothing else has to run."""
    save_every: float = 30
    """Seconds."""

    def __post_init__(self) -> None:
        if not 0 <= self.minutes < math.inf or self.steps < 0 or not (self.minutes or self.steps):
            raise CodecError("Training needs an end: set minutes, steps, or both.")
        if self.crop < 64 or self.crop % 64:
            raise CodecError(f"The crop is {self.crop}; make it a multiple of 64.")
        if self.parts not in PARTS:
            raise CodecError(f"There is no part named {self.parts!r}. Known: {', '.join(PARTS)}.")
        if self.batch < 1 or self.warm_up < 1 or self.mean_over < 1:
            raise CodecError("Batch, warm-up and mean-over must be whole numbers of at least 1.")
        if not 0 < self.learning_rate < math.inf:
            raise CodecError("The learning rate must be above 0.")
        if not 0 <= self.save_every < math.inf:
            raise CodecError("Save-every must be a number of seconds, 0 or more.")
        if self.device not in DEVICES:
            raise CodecError(f"There is no device named {self.device!r}. Use one of {', '.join(DEVICES)}.")

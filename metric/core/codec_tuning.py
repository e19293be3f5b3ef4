"""The settings of a codec's tuning on a metric version, each declared once: form, API and docs follow.

Needs no torch and no codec: a web process asks for such trainings.
"""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, fields
from typing import Any, Protocol

from metric.core.errors import InputError
from metric.core.setting import Setting, check_value, declare

PARTS = {
    "decoder": "Decoder only: minutes on a CPU; bitrates do not change",
    "all": "Encoder, decoder and rates: needs a GPU, or hours on a CPU",
}
DEVICES = {"cpu": "A worker of the queue train, on the CPU", "cuda": "A worker of the queue train-gpu"}


@dataclass(frozen=True)
class CodecTuning:
    """What a codec is tuned with. Raises ValueError for a value out of its limits."""

    parts: str = declare("decoder", "What is trained", "which parts are trained", choices=PARTS)
    steps: int = declare(
        200, "Steps", "number of training steps; 160 take a minute on a CPU core", least=1, most=1_000_000
    )
    batch: int = declare(4, "Crops a step", "crops per batch", least=1, most=256)
    crop: int = declare(192, "Crop", "side of a crop in pixels, a multiple of 32", least=64, most=1024)
    learning_rate: float = declare(
        2e-4,
        "Learning rate",
        "learning rate after the warm-up; it then falls to a hundredth",
        least=1e-7,
        most=0.01,
    )
    metric_weight: float = declare(
        40.0,
        "Weight of the metric",
        "relative to squared errors of pixels in 0..255; values in the hundreds exploit the metric's weaknesses",
        least=0.1,
        most=200.0,
    )
    seed: int = declare(0, "Seed", "seed of crops and augmentations", least=0, most=2**31 - 1)
    device: str = declare("cpu", "Device", "the device", choices=DEVICES)

    def __post_init__(self) -> None:
        for one in fields(self):
            check_value(one, getattr(self, one.name))
        check_shared(self)

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return asdict(self)


class Shared(Protocol):
    """Settings of any training of a codec's networks."""

    @property
    def steps(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def crop(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def metric_weight(self) -> float: ...
    @property
    def seed(self) -> int: ...


def check_shared(values: Shared) -> None:
    """What a tuning refuses of these, every training of a codec refuses. Raises ValueError."""
    for name in ("steps", "batch", "crop", "learning_rate", "metric_weight", "seed"):
        check_value(settings()[name][0], getattr(values, name))
    if values.crop % 32:
        raise InputError("crop must be a multiple of 32.")


def settings() -> dict[str, tuple[Field[Any], Setting]]:
    """Each field with its metadata, by name."""
    return {one.name: (one, one.metadata["setting"]) for one in fields(CodecTuning)}

"""The settings of a codec's tuning on a metric version. Needs no torch: a web process asks for such trainings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

DEVICES = ("cpu", "cuda")
PARTS = ("decoder", "all")


@dataclass(frozen=True)
class CodecTuning:
    """What a codec is tuned with; raises ValueError for what does not fit."""

    codec: str = "checkerboard"
    """The learned codec whose weights it starts from."""
    parts: str = "decoder"
    """decoder: files stay what they are, and any rate is kept; all: the encoder and the rates follow."""
    steps: int = 200
    batch: int = 4
    crop: int = 192
    """Side of a crop in pixels, a multiple of 32."""
    learning_rate: float = 2e-4
    metric_weight: float = 40.0
    """Of the metric against squared errors of pixels in 0..255; hundreds games it."""
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        bounds = {"steps": (1, 1_000_000), "batch": (1, 256), "crop": (64, 1024), "seed": (0, 2**31)}
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{name} is {value!r}; give a whole number from {least} to {most}.")
        if self.crop % 32:
            raise ValueError(f"crop is {self.crop}; give a multiple of 32.")
        for name, most_number in (("learning_rate", 0.01), ("metric_weight", 200.0)):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= most_number:
                raise ValueError(f"{name} is {number!r}; give a number above 0, at most {most_number:g}.")
        if self.parts not in PARTS or self.device not in DEVICES:
            raise ValueError(f"parts is one of {', '.join(PARTS)}; device one of {', '.join(DEVICES)}.")

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

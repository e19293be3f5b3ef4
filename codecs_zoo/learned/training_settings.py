"""What shapes the weights of a learned codec: the settings of a training, and what can be trained from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.learned.networks.shape import SIZES, Shape
from metric.core.codec_tuning import check_shared

if TYPE_CHECKING:
    from codecs_zoo.learned.networks.model import LearnedModel

PARTS = ("all", "decoder")
SALIENCY = ("none", "contrast", "combined")


def start_file(start: str) -> Path:
    """The file to start from: the weights of the learned codec of that name, or the path itself.

    Raises CodecError where there is no such file.
    """
    codec = registry.get(start) if start in registry.names() else None
    path = codec.weights if isinstance(codec, LearnedCodec) else Path(start)
    if not path.is_file():
        raise CodecError(
            f"There is no file {start} to start from. Use weights (.safetensors), a state.pt, or a codec's name: "
            f"{', '.join(one.name for one in registry.codecs() if isinstance(one, LearnedCodec))}."
        )
    return path


def trainable() -> list[str]:
    """Names of the codecs that have networks of their own to train."""
    learned = [codec for codec in registry.codecs() if isinstance(codec, LearnedCodec)]
    return [codec.name for codec in learned if codec.network == codec.name]


def network_builder(name: str) -> Callable[[Shape | None], LearnedModel]:
    """What builds the networks of the learned codec called `name`. Raises CodecError for another codec."""
    if name not in trainable():
        other = " pyramid has a command of its own: python -m codecs_zoo.learned.pyramid.training."
        raise CodecError(
            f"There is no trainable codec named {name!r}. Known: {', '.join(trainable())}."
            f"{other if name == 'pyramid' else ''}"
        )
    codec = registry.get(name)
    assert isinstance(codec, LearnedCodec)
    return codec.build


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that shapes the weights, beside the photographs."""

    name: str
    data: tuple[str, ...]
    steps: int = 20_000
    batch: int = 8
    """Crops a step, on each process."""
    crop: int = 192
    """Side of a crop in pixels, a multiple of 32."""
    learning_rate: float = 1e-3
    """At the end of the warm-up; from there it falls to a hundredth as a cosine."""
    warm_up: int = 200
    seed: int = 0
    start: str = ""
    """A codec, weights or a state to start from; what has another name or shape there starts afresh."""
    bf16: bool = True
    """The transforms' networks in bfloat16."""
    minutes: float = 0.0
    """If not 0, training ends after this time, or after `steps` if they are done before."""
    size: str = ""
    """Of the networks: small, large, or that of the weights to start from."""
    tune: str = "mse"
    """What is to be small beside the rate: mse, perceptual (stock LPIPS added to it), or a version's folder."""
    metric_weight: float = 40.0
    """Of the metric against squared errors of pixels in 0..255."""
    saliency: str = "none"
    """Which map weighs the distance: none, contrast, or combined with faces, text and objects."""
    parts: str = "all"
    """What is trained: all, or the decoder alone, so that files stay what they are."""
    compiled: bool = False
    """Kernels fused by torch.compile: a minute at the start, repaid on a GPU within five."""
    save_every: int = 500
    log_every: int = 50

    def __post_init__(self) -> None:
        network_builder(self.name)
        try:
            check_shared(self)
        except ValueError as error:
            raise CodecError(str(error)) from error
        if self.size not in ("", *SIZES) or self.parts not in PARTS:
            raise CodecError(
                f"The size must be one of {', '.join(SIZES)}; parts must be one of {', '.join(PARTS)}."
            )
        if self.parts == "decoder" and not self.start:
            raise CodecError(
                "The decoder alone can be trained only from weights: give --start, or --parts all."
            )
        if self.saliency not in SALIENCY:
            raise CodecError(f"The saliency must be one of {', '.join(SALIENCY)}.")
        if not 0 <= self.minutes < float("inf"):
            raise CodecError("Minutes must be 0 (no limit) or above.")
        if min(self.save_every, self.log_every) < 1 or self.warm_up < 0:
            raise CodecError("Save-every and log-every must be at least 1, warm-up at least 0.")

"""The settings of a training run. Needs no torch and no scipy: a web process that asks for a run should not
load it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

NETS = ("alex", "vgg", "squeeze")
KINDS = ("heads", "comp", "ranker")
TERMS = ("psnr", "ms-ssim")
DEVICES = ("auto", "cpu", "cuda")
BASELINE_KEYS = ("psnr", "ssim", "ms-ssim", "lpips-alex", "lpips-vgg", "lpips-squeeze")

# Penalties that cross-validation chooses from, from the stock heads to a free fit.
STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
# Bootstrap samples behind each interval.
RESAMPLES = 2000
FEWEST_RESAMPLES = 50
# Fewer in the train split can't be fitted and cross-validated.
MINIMUM_PHOTOGRAPHS = 2
MINIMUM_JUDGMENTS = 30


# The smallest that each whole number may be. With fewer resamples there is no interval to promote by.
LEAST = {
    "folds": 2,
    "seed": 0,
    "resamples": FEWEST_RESAMPLES,
    "epochs": 1,
    "patience": 1,
    "crop": 0,
    "minimum_photographs": MINIMUM_PHOTOGRAPHS,
    "minimum_judgments": 1,
}
SWITCHES = ("structure", "layer_scales", "side_bias", "lapse", "reliability", "compile")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides the snapshot; stored with its result.

    `kind`: "heads" (convex fit), "comp" (the same, then trunk and heads fine-tuned together) or "ranker" (the
    original's way, for comparison). `nets`: trunks joined in one fit; without it, `net` alone; afterwards `net`
    is the first of them. `terms`: of TERMS, joined in the fit. `structure`: also compare each channel's mean and
    variance over the image, as DISTS does. `layer_scales`: draw each layer to a multiple of stock of its own
    (True), or each trunk as a whole (False); None lets cross-validation choose. `strengths`: penalties that it chooses
    from. `side_bias`, `lapse`: fit the annotators' habit of picking one side, and their rate of random answers.
    `reliability`: fit how far each annotator can be trusted. `epochs`: passes over the votes of kinds comp and
    ranker. For comp, `patience`: epochs without a better val split before it stops; `learning_rate`: of the
    trunk; `crop`: side of random crops in pixels, 0 for whole images; `compile`: torch.compile the trunk, after
    a check that it changes nothing. `baselines`: keys of BASELINE_KEYS. `device`: "auto" takes a GPU when there
    is one. Raises ValueError for what is not known.
    """

    net: str = "alex"
    kind: str = "heads"
    nets: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    structure: bool = False
    layer_scales: bool | None = True
    strengths: tuple[float, ...] = STRENGTHS
    folds: int = 5
    seed: int = 0
    side_bias: bool = True
    lapse: bool = False
    reliability: bool = False
    epochs: int = 10
    patience: int = 2
    learning_rate: float = 1e-5
    crop: int = 0
    compile: bool = False
    resamples: int = RESAMPLES
    baselines: tuple[str, ...] = BASELINE_KEYS
    minimum_photographs: int = MINIMUM_PHOTOGRAPHS
    minimum_judgments: int = MINIMUM_JUDGMENTS
    device: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nets", tuple(self.nets) or (self.net,))
        object.__setattr__(self, "net", self.nets[0])
        _known("trunk", self.nets, NETS)
        _known("kind", (self.kind,), KINDS)
        _known("term", self.terms, TERMS)
        _known("baseline", self.baselines, BASELINE_KEYS)
        _known("device", (self.device,), DEVICES)
        self._require_kinds()
        if not self.strengths or not all(0 < strength < math.inf for strength in self.strengths):
            raise ValueError("strengths must be a list of finite numbers above zero.")
        if not 0 < self.learning_rate < 1:
            raise ValueError("learning_rate must be between 0 and 1.")
        if self.crop and self.crop < 64:
            raise ValueError("crop must be 0 (whole images) or at least 64 pixels.")
        if self.kind == "ranker" and (self.combined or self.lapse or self.reliability):
            raise ValueError(
                "The ranker is the original's: one trunk, without terms, structure, lapse or reliability."
            )

    def _require_kinds(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name} must be a whole number, at least {least}.")
        for name in SWITCHES:
            chooses = name == "layer_scales" and self.layer_scales is None
            if type(getattr(self, name)) is not bool and not chooses:
                raise ValueError(f"{name} must be true or false.")

    @property
    def combined(self) -> bool:
        """Whether the distance is more than the heads of one trunk."""
        return len(self.nets) > 1 or bool(self.terms) or self.structure

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"Unknown {what} {', '.join(map(repr, unknown))}. Known: {', '.join(known)}.")
    if len(set(names)) < len(names):
        raise ValueError(f"The same {what} is named twice: {', '.join(names)}.")

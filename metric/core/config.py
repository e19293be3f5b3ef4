"""The settings of a training run, each declared once: type, default, label, help, limits and choices.

The command line, the API, the form of the page and the table in docs/metric.md follow from the declarations here.
Needs no torch and no scipy: a web process that requests a run should not load them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, asdict, dataclass, fields
from typing import Any

from metric.core.errors import InputError
from metric.core.setting import Setting, check_value, declare

TRUNKS = {
    "alex": "AlexNet: the fastest",
    "vgg": "VGG16: much slower; the stock metric closest to people",
    "squeeze": "SqueezeNet",
    "none": "No trunk: the terms only",
}
NO_TRUNK = "none"
NETS = tuple(name for name in TRUNKS if name != NO_TRUNK)
KINDS = {
    "heads": "Heads: only the weights of the columns are fitted. Minutes.",
    "comp": "Heads and trunk: both are fine-tuned, as in LPIPS-Comp. Hours without a GPU.",
    "ranker": "Ranker: the method of the LPIPS paper (2018), for comparison: a small network learns to choose.",
}
TERMS = {
    "psnr": "PSNR",
    "ms-ssim": "MS-SSIM",
    "ssim2": "SSIM2: 72 columns modelled on SSIMULACRA2, without a network",
}
# Without a trunk, what agreed best with people on sources that were not fitted to.
RECOMMENDED_TERMS = ("ssim2", "psnr")
DEVICES = {
    "auto": "Any worker of the queue train, on its GPU if it has one",
    "cpu": "Any worker of the queue train, on the CPU",
    "cuda": "A worker of the queue train-gpu",
}
BASELINES = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "ms-ssim": "MS-SSIM",
    "lpips-alex": "LPIPS alex (stock)",
    "lpips-vgg": "LPIPS vgg (stock)",
    "lpips-squeeze": "LPIPS squeeze (stock)",
}
BASELINE_KEYS = tuple(BASELINES)
# Of other packages: rows of a table where these are installed.
RIVALS = {
    "ssimulacra2": "SSIMULACRA2",
    "cvvdp": "ColorVideoVDP",
    "butteraugli": "Butteraugli",
    "dists": "DISTS",
    "iw-ssim": "IW-SSIM",
    "fsim": "FSIM",
    "gmsd": "GMSD",
    "vmaf": "VMAF",
}
ROWS = BASELINES | RIVALS

# Penalties that cross-validation chooses from, from the stock heads to a free fit.
STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
# Bootstrap samples behind each interval.
RESAMPLES = 2000
# Of chances and of distances in just noticeable differences, where no votes outside of the fit stand behind them.
NOT_CALIBRATED = "not calibrated"
# The group of pairs whose two reconstructions are of different levels.
ACROSS_LEVELS = "across levels"
# Fewer in the train split can't be fitted and cross-validated.
MINIMUM_PHOTOGRAPHS = 2
MINIMUM_JUDGMENTS = 30
SMALLEST_CROP = 64


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides the snapshot; stored with its result.

    `net` is the first of `nets`; giving it alone is giving `nets` of one. Where neither trunks nor terms are given, a
    fit of heads is of RECOMMENDED_TERMS without a trunk, which agreed best with people (docs/experiments.md); a trunk
    alone is its LPIPS; what needs a trunk gets alex. Raises ValueError for a value that is not known, out of its
    limits, or does not fit the others.
    """

    net: str = declare("", "Trunk", "the trunk; replaced by nets", choices=TRUNKS)
    kind: str = declare(
        "heads", "What is trained", "heads; comp fine-tunes the trunk too; ranker as in 2018", choices=KINDS
    )
    nets: tuple[str, ...] = declare(
        (), "Trunk", "the trunk; several are combined in one fit; none uses the terms only", choices=TRUNKS,
        flags=("--net", "--nets"), longest=len(TRUNKS), several=True,
    )  # fmt: skip
    terms: tuple[str, ...] = declare(
        None, "Terms", "measures without a network, combined in the fit", choices=TERMS,
        flags=("--terms", "--term"), longest=len(TERMS), several=True, empty=True,
    )  # fmt: skip
    structure: bool = declare(
        False, "Compare means and variances of features too", "compare means and variances too, as DISTS does"
    )
    layer_scales: bool | None = declare(
        True, "A scale for each layer",
        "regularise each layer towards its own multiple of the stock heads, or the trunk as a whole; "
        "null: cross-validation chooses",
    )  # fmt: skip
    strengths: tuple[float, ...] = declare(
        STRENGTHS,
        "Penalties",
        "penalties among which cross-validation chooses",
        least=1e-6,
        most=1e6,
        longest=50,
        several=True,
    )
    folds: int = declare(
        5, "Folds", "number of folds of the cross-validation, grouped by photograph", least=2, most=50
    )
    seed: int = declare(0, "Seed", "seed of all random numbers", least=0, most=2**32 - 1)
    side_bias: bool = declare(True, "Fit the side bias", "fit a preference for one side")
    lapse: bool = declare(
        True,
        "Fit the rate of random answers",
        "fit the rate of random answers on held-out folds",
    )
    reliability: bool = declare(False, "Weight annotators by reliability", "fit each annotator's reliability")
    epochs: int = declare(10, "Epochs", "epochs of comp and ranker", least=1, most=1000)
    patience: int = declare(
        2,
        "Patience",
        "epochs without improvement on the val split after which comp stops",
        least=1,
        most=1000,
    )
    learning_rate: float = declare(
        1e-5, "Learning rate", "learning rate of the trunk, in comp", least=1e-9, most=0.1
    )
    crop: int = declare(
        0, "Crop", f"side of comp's random crops in pixels, at least {SMALLEST_CROP}; 0 for whole pictures",
        least=0, most=4096,
    )  # fmt: skip
    compile: bool = declare(
        False, "Compile", "compile the trunk with torch.compile, after a check that results do not change"
    )
    resamples: int = declare(
        RESAMPLES,
        "Bootstrap samples",
        "bootstrap samples for the interval of the calibration error",
        least=100,
        most=20_000,
    )
    baselines: tuple[str, ...] = declare(
        BASELINE_KEYS, "Baselines", "baselines in the table, in addition to people and the versions", choices=ROWS,
        longest=len(ROWS), several=True, empty=True,
    )  # fmt: skip
    learning_curve: bool = declare(
        True,
        "Draw the learning curve",
        "repeat the fit of the heads on growing parts of the train split, to estimate what more votes and "
        "photographs bring",
    )
    everything: bool = declare(
        False,
        "Train on every source",
        "train on all splits; the table then has no test split",
        flags=("--all",),
    )
    minimum_photographs: int = declare(
        MINIMUM_PHOTOGRAPHS, "Fewest photographs", "minimum in the train split",
        least=MINIMUM_PHOTOGRAPHS, most=10**6,
    )  # fmt: skip
    minimum_judgments: int = declare(
        MINIMUM_JUDGMENTS, "Fewest judgments", "minimum in the train split", least=1, most=10**9
    )
    processes: int = declare(
        1, "Processes", "processes of one machine that fine-tune together, each on its own GPU if there are any",
        least=1, most=64,
    )  # fmt: skip
    device: str = declare(
        "auto", "Where", "the device; auto uses a GPU if there is one; cuda waits for a worker of train-gpu",
        choices=DEVICES,
    )  # fmt: skip

    def __post_init__(self) -> None:
        self._fill_in()
        for one in fields(self):
            check_value(one, getattr(self, one.name))
        object.__setattr__(self, "net", self.nets[0])
        if 0 < self.crop < SMALLEST_CROP:
            raise InputError(f"crop must be 0 (whole images) or at least {SMALLEST_CROP} pixels.")
        if NO_TRUNK in self.nets and (
            len(self.nets) > 1 or not self.terms or self.structure or self.kind != "heads"
        ):
            raise InputError(
                "Without a trunk (none) there must be terms, no other trunk, no structure, and the kind heads."
            )
        if self.processes > 1 and self.kind != "comp":
            raise InputError(
                "Several processes are only possible for fine-tuning: set the kind comp, or one process."
            )
        if self.kind == "ranker" and (self.combined or self.reliability):
            raise InputError("The ranker requires one trunk, without terms, structure or reliability.")

    def _fill_in(self) -> None:
        """What was not given: trunk, trunks and terms."""
        for one in fields(self):
            if isinstance(getattr(self, one.name), list):  # as JSON has them
                object.__setattr__(self, one.name, tuple(getattr(self, one.name)))
        given: Any = vars(self)["terms"]
        alone = self.kind == "heads" and not self.structure
        if not self.nets:
            recommended = alone and (given is None or "ssim2" in given)
            net = self.net or (NO_TRUNK if recommended else NETS[0])
            object.__setattr__(self, "nets", (net,))
        if given is None:
            object.__setattr__(self, "terms", RECOMMENDED_TERMS if self.nets == (NO_TRUNK,) else ())
        if not self.net and isinstance(self.nets, tuple):
            object.__setattr__(self, "net", self.nets[0])

    @property
    def combined(self) -> bool:
        """Whether the distance is more than the heads of one trunk."""
        return len(self.nets) > 1 or bool(self.terms) or self.structure

    @property
    def trunks(self) -> tuple[str, ...]:
        """The networks: `nets` without "none"."""
        return trunks_of(self.nets)

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def trunks_of(nets: Sequence[str]) -> tuple[str, ...]:
    """The networks among `nets`, which may say "none"."""
    return tuple(net for net in nets if net != NO_TRUNK)


def stock_rival(nets: Sequence[str]) -> str:
    """The key of the baseline that a metric on these trunks is held against: stock LPIPS of the first, else of alex."""
    return f"lpips-{(*trunks_of(nets), NETS[0])[0]}"


def settings() -> dict[str, tuple[Field[Any], Setting]]:
    """Each field of TrainConfig with its Setting, by name."""
    return {one.name: (one, one.metadata["setting"]) for one in fields(TrainConfig)}

"""The options of learned codecs: how long to search for latents, for which distance, weighed by which map.

torch is imported in here at first use: this module is imported whenever codecs are listed.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from codecs_zoo.contract import Aimed, CodecError, Pixels, Setting, Settings, bits_per_pixel
from codecs_zoo.encode_progress import current
from codecs_zoo.learned._file import checked_size
from codecs_zoo.learned._state import keep_state, read_state
from codecs_zoo.learned.networks.shape import index_to_quality, quality_index
from codecs_zoo.site_metrics import PERCEPTUAL, STOCK, figures_inside, is_name

if TYPE_CHECKING:
    from codecs_zoo.learned._codec import LearnedCodec
    from codecs_zoo.learned.networks.model import LearnedModel
    from codecs_zoo.learned.networks.objective import Objective
    from codecs_zoo.learned.networks.searching import Search, Subject

ITERATIONS: Final = {0: 0, 1: 150, 2: 300, 3: 1000}
OPTIONS: Final[dict[str, tuple[Setting, ...]]] = {
    "effort": tuple(ITERATIONS),
    "tune": ("mse", PERCEPTUAL, STOCK),
    "saliency": ("none", "contrast", "combined"),
}
REVISION: Final = 2
"""Of the search. Raise it with every change after which the same pixels and settings give other bytes: points of
different searches are then not taken for the same. What was made before it was written down has no number."""
SECONDS: Final = {"mse": 1.1, "metric": 2.2}
"""Of an iteration for a megapixel on one core."""
BYTES_LEFT: Final = {"mse": 1.02, "metric": 1.05}
"""Of a plain file, after a search at the same quality that nothing steers: it buys quality, not bytes."""
FOLLOWED: Final = 0.65
"""Share of a wished change of the rate that a search makes which goes on from another's latents."""
MOST_SEARCHES: Final = 3
RETUNED_AT: Final = (0.25, 0.4)
"""Shares of a search at which its quality moves to where it meets the target rate, so that lambda need not."""
CODER_BYTES: Final = 2.3
"""Of each coded part, beyond its latents' information: a range coder ends on a word of 32 bits."""


def check_options(settings: Settings) -> None:
    """Raises CodecError where an option would do nothing."""
    idle = [name for name in ("tune", "saliency") if settings[name] != OPTIONS[name][0]]
    if settings["effort"] == 0 and idle:
        names = " and ".join(idle)
        verb = "option {} applies" if len(idle) == 1 else "options {} apply"
        raise CodecError(f"The {verb.format(names)} only to a search: set effort to 1, 2 or 3 as well.")


def is_metric_version(value: Setting) -> bool:
    """Whether `value` is the folder of a metric version, or the name of a site's, as `tune` may be."""
    return is_name(value) or (isinstance(value, str) and Path(value, "manifest.json").is_file())


def check_tune(value: Setting) -> None:
    """Raises CodecError for a path that is no metric version's folder."""
    if isinstance(value, str) and "/" in value and not is_metric_version(value):
        raise CodecError(
            f"tune is {value!r}, which is not a metric version (a folder with a manifest.json). Use such "
            f"a folder, mse or perceptual."
        )


def revision(settings: Settings) -> dict[str, str]:
    """What a search adds to a codec's libraries."""
    return {"search": str(REVISION)} if settings.get("effort", 0) else {}


def check_ready(settings: Settings) -> None:
    """Raises CodecError if the map or the metric of a search with these settings cannot be used here."""
    if not settings["effort"]:
        return
    from codecs_zoo.learned.networks.objective import metric_for
    from codecs_zoo.onnx_models import ModelUnavailable
    from codecs_zoo.saliency.maps import require_map

    if (kind := str(settings["saliency"])) != "none":
        try:
            require_map(kind)
        except ModelUnavailable as error:
            raise CodecError(str(error)) from error
    metric_for(str(settings["tune"]))


def figures_tuned_on(settings: Settings) -> tuple[str, ...]:
    """Names of the quality figures that a search with these settings makes better, whatever people see.

    Of a version's folder: itself, and the figures that its trunks and terms are parts of.
    """
    if not settings.get("effort", 0) or settings["tune"] == "mse":
        return ()
    tune = str(settings["tune"])
    return ("lpips-alex", "lpips-squeeze") if tune in (PERCEPTUAL, STOCK) else (tune, *figures_inside(tune))


def seconds_of_search(settings: Settings) -> float:
    """For a megapixel on one core."""
    return ITERATIONS[int(settings["effort"])] * SECONDS[_kind(settings)]


def _kind(settings: Settings) -> str:
    return "mse" if settings["tune"] == "mse" else "metric"


def encode(codec: LearnedCodec, pixels: Pixels, settings: Settings) -> bytes:
    """The file of one search at the quality in `settings`."""
    from codecs_zoo.learned.networks.pictures import one_thread

    index = quality_index(float(settings[codec.knob.name]))
    with one_thread():
        return _Searches(codec, pixels, settings, index, None).run(0.0)


def aim(
    codec: LearnedCodec, pixels: Pixels, target_bpp: float, settings: Settings, tolerance: float
) -> Aimed:
    """The file of up to three searches, each going on from the one before, nearest to `target_bpp`.

    The first quality is the one at which a search usually makes a file of this size; lambda is steered from there, and
    a miss moves the quality along the rate curve. Raises RateError as a plain encode would.
    """
    from codecs_zoo.learned.networks.pictures import one_thread
    from codecs_zoo.rate import RateError, encode_to_bpp

    started = time.perf_counter()
    try:
        near = encode_to_bpp(codec, pixels, target_bpp / BYTES_LEFT[_kind(settings)])
    except RateError:
        near = encode_to_bpp(codec, pixels, target_bpp)
    quality = float(near.operating_point[codec.knob.name])
    with one_thread():
        searches = _Searches(codec, pixels, settings, quality_index(quality), target_bpp)
        bitstream = searches.run(tolerance)
    elapsed = (time.perf_counter() - started) * 1000
    point = {**settings, codec.knob.name: round(index_to_quality(searches.best.index), 2)}
    return Aimed(point, bitstream, searches.round + 1, elapsed)


@dataclass
class _Best:
    bitstream: bytes = b""
    miss: float = float("inf")
    index: int = 0


class _Searches:
    """The searches for one photograph, whose state is kept where the follower wants it."""

    def __init__(
        self, codec: LearnedCodec, pixels: Pixels, settings: Settings, index: int, target_bpp: float | None
    ) -> None:
        self.codec, self.pixels, self.index, self.target = codec, pixels, index, target_bpp
        self.iterations = ITERATIONS[int(settings["effort"])]
        self.model, copy = codec.search_models()
        self.follower = current()
        self.round, self.best = 0, _Best()
        self.others = bits_per_pixel(codec.head_bytes + CODER_BYTES * codec.parts, pixels)
        self.parts_bpp = None if target_bpp is None else target_bpp - self.others
        objective, subject = self._prepare(settings)
        self.make: Any = lambda start: _search(copy, objective, subject, self.index, self.iterations, start)
        self.key = subject.key

    def run(self, tolerance: float) -> bytes:
        """The file; without a target, of one search."""
        search: Search = self._begin()
        while True:
            self._finish(search)
            bitstream = self._coded(search)
            bpp = bits_per_pixel(len(bitstream), self.pixels)
            miss = abs(bpp / self.target - 1) if self.target else 0.0
            if miss <= self.best.miss:
                self.best = _Best(bitstream, miss, self.index)
            if self.best.miss <= tolerance or self.round + 1 == MOST_SEARCHES or self.target is None:
                return self.best.bitstream
            # Latents of a small file take a few per cent more than their likelihoods say, in each search.
            self.parts_bpp = (self.target - self.others) * search.rounded_bpp() / (bpp - self.others)
            search = self._moved(search, self.target / bpp)

    def _moved(self, search: Search, factor: float) -> Search:
        """The next search, from where this one ended, at a quality of about `factor` times the rate."""
        self.round += 1
        before, y, z = search.step_size, *search.ended()
        self.index = self._index_at(factor ** (1 / FOLLOWED))
        moved: Search = self.make(None)
        return self.make(type(search.latents)(y * before / moved.step_size, z))  # type: ignore[no-any-return]

    def _index_at(self, factor: float) -> int:
        """The quality at about `factor` times the rate of this one."""
        knobs, rates = zip(*self.codec.rate_curve, strict=True)
        rate = float(np.interp(index_to_quality(self.index), knobs, np.log(rates)))
        return quality_index(float(np.interp(rate + math.log(factor), np.log(rates), knobs)))

    def _finish(self, search: Search) -> None:
        retuned_at = [round(share * self.iterations) for share in RETUNED_AT]
        while not search.over:
            if self.parts_bpp and self.round == 0 and search.done in retuned_at:
                self.index = self._index_at(self.parts_bpp / search.rounded_bpp())
                search.retune(self.index)
            self.follower.report(search.step(self.parts_bpp))
            if self.follower.is_due():
                self._keep(search)

    def _coded(self, search: Search) -> bytes:
        from codecs_zoo.learned.networks.model import Latents

        latents = search.latents_to_code()
        z = None if latents.z is None else latents.z.double().contiguous()
        parts = self.model.code(Latents(latents.y.double().contiguous(), z), self.index)
        return self.codec.file_of(parts, self.index, checked_size(self.pixels))

    def _prepare(self, settings: Settings) -> tuple[Objective, Subject]:
        import torch

        from codecs_zoo.learned.networks.objective import Objective, metric_for
        from codecs_zoo.learned.networks.pictures import to_tensor
        from codecs_zoo.learned.networks.searching import Subject
        from codecs_zoo.onnx_models import ModelUnavailable
        from codecs_zoo.saliency import saliency_map, saliency_weights

        saliency = None
        if (kind := str(settings["saliency"])) != "none":
            try:
                weights = saliency_weights(saliency_map(self.pixels, kind))
            except ModelUnavailable as error:
                raise CodecError(str(error)) from error
            saliency = torch.from_numpy(weights).float()[None, None]
        x = to_tensor(self.pixels).float().contiguous(memory_format=torch.channels_last)
        identity = f"{self.codec.version_at(settings)} {settings} {self.index} {self.target}".encode()
        key = hashlib.sha256(identity + self.pixels.tobytes()).hexdigest()
        subject = Subject(x, checked_size(self.pixels), key, saliency)
        return Objective(metric_for(str(settings["tune"]))), subject

    def _begin(self) -> Search:
        """A new search, or the one whose state was kept."""
        state = read_state(self.follower, self.key)
        if state is None:
            return self.make(None)  # type: ignore[no-any-return]
        self.round, self.index = state["round"], state["index"]
        self.parts_bpp = state.get("parts_bpp", self.parts_bpp)
        self.best = _Best(state["best"].numpy().tobytes(), state["miss"], state["best_index"])
        search = self.make(None if self.round == 0 else _as_latents(state["latents"]))
        search.resume(state)
        return search  # type: ignore[no-any-return]

    def _keep(self, search: Search) -> None:
        import torch

        best = torch.from_numpy(np.frombuffer(self.best.bitstream, np.uint8).copy())
        mine: dict[str, Any] = {"round": self.round, "index": self.index, "miss": self.best.miss}
        mine["best_index"], mine["parts_bpp"] = self.best.index, self.parts_bpp
        keep_state(self.follower, self.key, {**search.state(), **mine, "best": best})


def _search(
    model: LearnedModel, objective: Objective, subject: Subject, index: int, iterations: int, start: Any
) -> Search:
    from codecs_zoo.learned.networks.searching import Search

    return Search(model, objective, subject, index, iterations, start)


def _as_latents(tensors: list[Any]) -> Any:
    from codecs_zoo.learned.networks.model import Latents

    return Latents(tensors[0], tensors[1] if len(tensors) > 1 else None)

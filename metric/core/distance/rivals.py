"""Metrics of other packages, by name: optional, and each either available or not, with the reason.

Nothing is computed here that a package computes. A rival takes two pictures, H×W×3 uint8 sRGB, the original first, and
gives a number. Any callable does, as `module:function`, or by a name under the entry points `closer.metrics`; it says
by an attribute `higher_is_better` which way it points (False, a distance, unless it is set).
"""

from __future__ import annotations

import importlib
import io
import json
import math
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from imaging.files import file_sha256
from imaging.pixels import Pixels
from metric.core.config import RIVALS
from metric.core.distance.baselines import Baseline, BaselineUnavailable, Floats
from metric.core.distance.cache import VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.features import Count, Pair
from metric.core.distance.fetch import Say

Compare = Callable[[Pixels, Pixels], float]

ENTRY_POINTS = "closer.metrics"
# A picture that takes longer is not waited for, and neither is a table that would.
SECONDS_A_PAIR = 120.0
SECONDS_IN_ALL = 3600.0


@dataclass(frozen=True)
class Rival:
    """A metric of another package. `packages`: modules that it needs; `how`: how to get them; `load` imports them.

    `distribution`: whose version is part of the key of cached values. `program`: an executable that it runs.
    """

    key: str
    distribution: str
    higher_is_better: bool
    load: Callable[[], Compare]
    packages: tuple[str, ...] = ()
    how: str = "pip install '.[rivals]'"
    program: str = ""

    def unavailable(self) -> str | None:
        """Why it cannot be used here; None if it seems to be."""
        missing = [name for name in self.packages if find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} is not installed. Run: {self.how}"
        if self.program and shutil.which(self.program) is None:
            return f"the program {self.program} is not on this machine's PATH. {self.how}"
        return None

    def version(self) -> str:
        """The version of its package, or of its program's file."""
        if self.program:
            program = shutil.which(self.program)
            return file_sha256(Path(program)) if program else ""
        return metadata.version(self.distribution) if self.distribution else ""


def rival_baseline(key: str) -> Baseline:
    """A rival of RIVALS as a row of a table. Raises KeyError for another name."""
    rival = _RIVALS[key]

    def load() -> Compare:
        reason = rival.unavailable()
        if reason:
            raise BaselineUnavailable(reason)
        try:
            return rival.load()
        except Exception as error:  # whatever a package's import may raise
            raise BaselineUnavailable(f"it cannot be loaded ({type(error).__name__}: {error})") from error

    return _as_baseline(
        key, RIVALS[key], rival.unavailable, load, f"{key} {rival.version() if not rival.unavailable() else ''}",
        higher_is_better=rival.higher_is_better,
    )  # fmt: skip


def open_rival(name: str) -> tuple[str, bool, Compare]:
    """The label of a rival or a callable, whether a higher value of it is better, and itself, for single pairs.

    Raises BaselineUnavailable with the reason where it cannot be used here.
    """
    if name not in _RIVALS:
        compare = _callable(name)
        return name, bool(getattr(compare, "higher_is_better", False)), compare
    rival = _RIVALS[name]
    if reason := rival.unavailable():
        raise BaselineUnavailable(reason)
    try:
        return RIVALS[name], rival.higher_is_better, rival.load()
    except Exception as error:  # whatever a package's import may raise
        raise BaselineUnavailable(f"it cannot be loaded ({type(error).__name__}: {error})") from error


def callable_baseline(name: str) -> Baseline:
    """A callable as a row: `module:function`, or a name of the entry points. Its values are not kept: it may change.

    Raises BaselineUnavailable for a name that leads to no callable.
    """
    compare = _callable(name)
    higher = bool(getattr(compare, "higher_is_better", False))
    return _as_baseline(name, name, lambda: None, lambda: compare, "", higher_is_better=higher)


def entry_points() -> tuple[str, ...]:
    """Names of the metrics that installed packages offer."""
    return tuple(sorted(point.name for point in metadata.entry_points(group=ENTRY_POINTS)))


def _callable(name: str) -> Compare:
    try:
        if ":" in name:
            module, _, attribute = name.partition(":")
            loaded = getattr(importlib.import_module(module), attribute)
        else:
            (point,) = metadata.entry_points(group=ENTRY_POINTS, name=name)
            loaded = point.load()
    except Exception as error:  # the import of a stranger's module may raise anything
        raise BaselineUnavailable(f"{name} cannot be imported ({type(error).__name__}: {error})") from error
    if not callable(loaded):
        raise BaselineUnavailable(
            f"{name} is not callable: it must take two H×W×3 uint8 arrays and give a number"
        )
    compare: Compare = loaded
    return compare


def _as_baseline(
    key: str,
    label: str,
    unavailable: Callable[[], str | None],
    load: Callable[[], Compare],
    version: str,
    *,
    higher_is_better: bool,
) -> Baseline:
    def distances(
        pairs: Sequence[Pair], cache: VectorCache | None, count: Count | None, progress: Say | None
    ) -> Floats:
        compare, deadline = load(), time.monotonic() + SECONDS_IN_ALL
        values = np.empty(len(pairs))
        kept = cache if version else None
        for number, (a, b) in enumerate(pairs):
            entry = content_key("rival", code_key(__name__), version, a.sha256, b.sha256)
            stored = kept.get(entry) if kept else None
            if stored is None:
                value = one_value(compare, a.read(), b.read())
                if kept:
                    kept.put({entry: np.array([value], dtype=np.float32)})
                if time.monotonic() > deadline and number + 1 < len(pairs):
                    raise BaselineUnavailable(
                        f"it is slow: {number + 1} of {len(pairs)} pairs in {SECONDS_IN_ALL / 60:.0f} minutes"
                    )
            else:
                value = float(stored[0])
            values[number] = np.float32(value)
            if count:
                count(number + 1, len(pairs))
        return -values if higher_is_better else values

    return Baseline(key, label, unavailable, distances)


def one_value(compare: Compare, reference: Pixels, distorted: Pixels) -> float:
    """What it says of two pictures. Raises BaselineUnavailable where it fails, hangs, or gives no finite number."""
    answer: list[Any] = []

    def work() -> None:
        try:
            answer.append(compare(reference, distorted))
        except BaseException as error:  # told to the caller below
            answer.append(error)

    # A thread: a callable that hangs cannot be stopped from outside, only left behind.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS_A_PAIR)
    if not answer:
        raise BaselineUnavailable(f"it took more than {SECONDS_A_PAIR:.0f} s for one pair")
    if isinstance(answer[0], BaseException):
        raise BaselineUnavailable(f"it failed on a picture ({type(answer[0]).__name__}: {answer[0]})")
    result = np.asarray(answer[0])
    if result.size != 1 or result.dtype.kind not in "fiu":
        raise BaselineUnavailable(f"it gave {result.dtype} of shape {result.shape} and not one number")
    value = float(result.reshape(-1)[0])
    if not math.isfinite(value):
        raise BaselineUnavailable(f"it gave {value} for a picture")
    return value


def _ssimulacra2() -> Compare:
    from ssimulacra2 import compute_ssimulacra2

    return lambda a, b: float(compute_ssimulacra2(_png(a), _png(b)))


def _cvvdp() -> Compare:
    _torchvision()
    import pycvvdp

    metric = pycvvdp.cvvdp(display_name="standard_4k")
    # It takes the reconstruction first.
    return lambda a, b: float(metric.predict(b, a, dim_order="HWC")[0])


def _piq(name: str, **options: Any) -> Callable[[], Compare]:
    def load() -> Compare:
        _torchvision()
        import piq

        from metric.core.distance.features import to_tensor

        measure = getattr(piq, name)
        measure = measure(**options) if isinstance(measure, type) else measure

        def compare(a: Pixels, b: Pixels) -> float:
            first, second = ((to_tensor([x]) + 1) / 2 for x in (b, a))
            return float(measure(first.clamp(0, 1), second.clamp(0, 1)))

        return compare

    return load


def _vmaf() -> Compare:
    import imageio_ffmpeg

    return lambda a, b: _ffmpeg_vmaf(imageio_ffmpeg.get_ffmpeg_exe(), a, b)


def _ffmpeg_vmaf(ffmpeg: str, a: Pixels, b: Pixels) -> float:
    """VMAF v0.6.1 of two pictures as videos of one frame."""
    with tempfile.TemporaryDirectory(prefix="closer-vmaf-") as name:
        folder = Path(name)
        for file, pixels in (("b.png", b), ("a.png", a)):
            (folder / file).write_bytes(_png(pixels).getvalue())
        graph = "[0:v][1:v]libvmaf=log_fmt=json:log_path=log.json"
        subprocess.run(
            [ffmpeg, "-v", "error", "-i", "b.png", "-i", "a.png", "-lavfi", graph, "-f", "null", "-"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        return float(json.loads((folder / "log.json").read_text())["pooled_metrics"]["vmaf"]["mean"])


def _butteraugli() -> Compare:
    def compare(a: Pixels, b: Pixels) -> float:
        with tempfile.TemporaryDirectory(prefix="closer-butteraugli-") as name:
            files = [Path(name, file) for file in ("a.png", "b.png")]
            for file, pixels in zip(files, (a, b), strict=True):
                file.write_bytes(_png(pixels).getvalue())
            done = subprocess.run(["butteraugli_main", *files], check=True, capture_output=True, text=True)
        return float(done.stdout.split()[0])

    return compare


def _png(pixels: Pixels) -> io.BytesIO:
    from imaging.png import encode_png

    return io.BytesIO(encode_png(pixels))


@cache
def _torchvision() -> Any:
    """The library that declares two operators of torchvision, where the build for this torch lacks them.

    The Python part of torchvision works all the same. Where it loads as it is, nothing is declared.
    """
    import torch

    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        importlib.import_module("torchvision")
        return library
    return None


_RIVALS = {
    rival.key: rival
    for rival in (
        Rival("ssimulacra2", "ssimulacra2", True, _ssimulacra2, ("ssimulacra2",)),
        Rival("cvvdp", "cvvdp", True, _cvvdp, ("pycvvdp", "torchvision"), "pip install '.[cvvdp]'"),
        Rival(
            "butteraugli",
            "",
            False,
            _butteraugli,
            how="It comes with libjxl's tools.",
            program="butteraugli_main",
        ),
        Rival("dists", "piq", False, _piq("DISTS"), ("piq", "torchvision")),
        Rival("iw-ssim", "piq", True, _piq("information_weighted_ssim"), ("piq", "torchvision")),
        Rival("fsim", "piq", True, _piq("fsim"), ("piq", "torchvision")),
        Rival("gmsd", "piq", False, _piq("gmsd"), ("piq", "torchvision")),
        Rival("vmaf", "imageio-ffmpeg", True, _vmaf, ("imageio_ffmpeg",), "pip install '.[vvc]'"),
    )
}

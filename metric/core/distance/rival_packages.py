"""Metrics of other packages: what each needs, how to get it, and the adapter to two pictures.

Nothing is computed here that a package computes. Importing this is cheap: a package is imported by its `load`.
"""

from __future__ import annotations

import importlib
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imaging.files import file_sha256
from imaging.pixels import Pixels
from metric.core.distance.viewing import Viewing

# What CVVDP assumes where no screen was measured; its luminance and contrast are taken in any case.
CVVDP_DISPLAY = "standard_4k"
# Pixels a side, below which SSIMULACRA2's package has no scale to compare at and says 100, the value of equal pictures.
SSIMULACRA2_LEAST = 8
# Pixels a side, below which libvmaf crashes.
VMAF_LEAST = 17
# Two pictures, H×W×3 uint8 sRGB, the original first, to a number.
Compare = Callable[[Pixels, Pixels], float]


@dataclass(frozen=True)
class Rival:
    """A metric of another package. `packages`: modules that it needs; `how`: how to get them; `load` imports them.

    `distribution`: whose version is part of the key of cached values. `program`: an executable that it runs.
    `load_viewed`: for a metric that models the viewing condition; `default_condition` is what its `load` assumes.
    """

    key: str
    distribution: str
    higher_is_better: bool
    load: Callable[[], Compare]
    packages: tuple[str, ...] = ()
    how: str = "pip install '.[rivals]'"
    program: str = ""
    load_viewed: Callable[[Viewing], Compare] | None = None
    default_condition: str = ""

    def condition(self, viewing: Viewing | None) -> str:
        """Under which viewing condition it is computed; "" for a metric that models none."""
        known = self.load_viewed is not None and viewing is not None
        return (
            f"{viewing.pixels_per_degree:g} pixels a degree" if known and viewing else self.default_condition
        )

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


def _ssimulacra2() -> Compare:
    from ssimulacra2 import compute_ssimulacra2

    def compare(a: Pixels, b: Pixels) -> float:
        _require_side(a, SSIMULACRA2_LEAST)
        return float(compute_ssimulacra2(_png(a), _png(b)))

    return compare


def _cvvdp(viewing: Viewing | None = None) -> Compare:
    _torchvision()
    import pycvvdp

    # With an angle given, the resolution of the display is not used.
    geometry = viewing and pycvvdp.vvdp_display_geometry([3840, 2160], ppd=viewing.pixels_per_degree)
    metric = pycvvdp.cvvdp(display_name=CVVDP_DISPLAY, display_geometry=geometry)
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

    def compare(a: Pixels, b: Pixels) -> float:
        _require_side(a, VMAF_LEAST)
        return _ffmpeg_vmaf(imageio_ffmpeg.get_ffmpeg_exe(), a, b)

    return compare


def _ffmpeg_vmaf(ffmpeg: str, a: Pixels, b: Pixels) -> float:
    """VMAF v0.6.1 of two pictures as videos of one frame."""
    with tempfile.TemporaryDirectory(prefix="closer-vmaf-") as name:
        folder = Path(name)
        for file, pixels in (("b.png", b), ("a.png", a)):
            (folder / file).write_bytes(_png(pixels).getvalue())
        graph = "[0:v][1:v]libvmaf=log_fmt=json:log_path=log.json"
        _output(
            ffmpeg,
            "-v",
            "error",
            "-i",
            "b.png",
            "-i",
            "a.png",
            "-lavfi",
            graph,
            "-f",
            "null",
            "-",
            cwd=folder,
        )
        return float(json.loads((folder / "log.json").read_text())["pooled_metrics"]["vmaf"]["mean"])


def _butteraugli() -> Compare:
    def compare(a: Pixels, b: Pixels) -> float:
        with tempfile.TemporaryDirectory(prefix="closer-butteraugli-") as name:
            files = [Path(name, file) for file in ("a.png", "b.png")]
            for file, pixels in zip(files, (a, b), strict=True):
                file.write_bytes(_png(pixels).getvalue())
            return float(_output("butteraugli_main", *map(str, files)).split()[0])

    return compare


def _output(*command: str, cwd: Path | None = None) -> str:
    """What a program prints. Raises RuntimeError with the last line of its complaints where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise RuntimeError(f"{Path(command[0]).name} ended with status {done.returncode}: {lines[-1]}")
    return done.stdout


def _png(pixels: Pixels) -> io.BytesIO:
    from imaging.png import encode_png

    return io.BytesIO(encode_png(pixels))


def _require_side(picture: Pixels, least: int) -> None:
    if min(picture.shape[:2]) < least:
        raise ValueError(f"a picture needs at least {least} pixels per side")


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


PACKAGES = {
    rival.key: rival
    for rival in (
        Rival("ssimulacra2", "ssimulacra2", True, _ssimulacra2, ("ssimulacra2",)),
        Rival(
            "cvvdp",
            "cvvdp",
            True,
            _cvvdp,
            ("pycvvdp", "torchvision"),
            "pip install '.[cvvdp]'",
            load_viewed=_cvvdp,
            default_condition=f"display {CVVDP_DISPLAY}",
        ),
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

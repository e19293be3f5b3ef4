"""Distances and preferences of uploaded images, by the promoted metric, and distances by the baselines."""

import threading
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from annotation.errors import Refused
from codecs_zoo.contract import Pixels
from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from metric.core.config import NOT_CALIBRATED
from metric.models import MetricVersion
from metric.services.versions import promoted_version, version_folder

# The VGG baseline takes seconds and a gigabyte for a megapixel: larger pictures are for metric.core on your machine.
MOST_PIXELS = 1024 * 1024
# One at a time in a web process, so that a burst of requests costs time and not memory.
_turn = threading.Lock()


@dataclass(frozen=True)
class Figure:
    """One baseline's figure, or why there is none."""

    key: str
    label: str
    value: float | None
    better: str
    reason: str | None = None


def measure_distance(*, reference: bytes, distorted: bytes) -> dict[str, Any]:
    """The distances of two image files. Raises Refused for files that are no photographs or differ in size."""
    first, second = _of_one_size({"reference": reference, "distorted": distorted})
    version = promoted_version()
    with _turn:
        learned = _learned(version, first, [second])
        baselines = [asdict(figure) for figure in _baselines(first, second)]
    return {
        "version": version.number if version else None,
        "distance": learned.distances[0],
        "jnd": learned.jnd[0],
        "calibrated_on": learned.calibrated_on,
        "simulated": bool(version and version.simulated),
        "width": first.shape[1],
        "height": first.shape[0],
        "baselines": baselines,
    }


def measure_preference(*, reference: bytes, a: bytes, b: bytes) -> dict[str, Any]:
    """The share of people expected to find `a` closer to the reference than `b`, by the promoted metric.

    Raises Refused for files that are no photographs or differ in size.
    """
    original, *pair = _of_one_size({"reference": reference, "a": a, "b": b})
    version = promoted_version()
    with _turn:
        learned = _learned(version, original, pair)
    return {
        "version": version.number if version else None,
        "prefers_a": learned.prefers_first(),
        "a": {"distance": learned.distances[0], "jnd": learned.jnd[0]},
        "b": {"distance": learned.distances[1], "jnd": learned.jnd[1]},
        "calibrated_on": learned.calibrated_on,
        "simulated": bool(version and version.simulated),
    }


def _of_one_size(files: dict[str, bytes]) -> list[Pixels]:
    pictures = {which: _pixels(which, file) for which, file in files.items()}
    (name, first), *others = pictures.items()
    for which, picture in others:
        if picture.shape != first.shape:
            raise Refused(
                f"{name} is {_size(first)} and {which} {_size(picture)}. Send {_NUMBERS[len(files)]} "
                f"images of the same size."
            )
    return list(pictures.values())


_NUMBERS = {2: "two", 3: "three"}


def _pixels(which: str, file: bytes) -> Pixels:
    try:
        return load_photograph(file, max_pixels=MOST_PIXELS).pixels
    except PhotographError as error:
        raise Refused(f"The {which} cannot be used: {error}") from error


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]} pixels"


@lru_cache(maxsize=2)
def _metric(folder: str, sha256: str) -> Any:
    """The loaded metric; `sha256` keeps a folder that was made anew from being taken for the old one."""
    # torch takes two seconds and 200 MB: only the web processes that serve a distance load it.
    from metric.core.distance.checkpoint import load

    return load(folder)


@dataclass(frozen=True)
class _Learned:
    """Distances of pictures to one reference by the promoted metric, None where none is in use.

    `jnd` in just noticeable differences; None without a choice curve. `calibrated_on`: "not calibrated" for a curve of
    the fit's own votes, or for none.
    """

    distances: list[float | None]
    jnd: list[float | None]
    calibrated_on: str
    curve: Any = None

    def prefers_first(self) -> float | None:
        """The share of people expected to find the first of two pictures closer."""
        if self.curve is None:
            return None
        import numpy as np

        first, second = self.distances
        return float(self.curve.chance(np.array([[second, first]], dtype=np.float64))[0])


def _learned(version: MetricVersion | None, reference: Pixels, pictures: list[Pixels]) -> _Learned:
    nothing: list[float | None] = [None] * len(pictures)
    if version is None:
        return _Learned(nothing, nothing, NOT_CALIBRATED)
    import numpy as np

    from metric.core.distance.features import to_tensor

    metric = _metric(str(version_folder(version=version)), version.sha256)
    original = to_tensor([reference])
    distances = [float(metric(original, to_tensor([picture]))) for picture in pictures]
    jnd = nothing if metric.curve is None else metric.curve.jnd(np.array(distances)).tolist()
    return _Learned(list(distances), jnd, metric.calibrated_on, metric.curve)


def _baselines(reference: Pixels, distorted: Pixels) -> list[Figure]:
    from metric.core.distance.baselines import BASELINES, BaselineUnavailable
    from metric.core.distance.images import as_picture

    pair = (as_picture(reference), as_picture(distorted))
    figures = []
    for key, baseline in BASELINES.items():
        missing = baseline.unavailable()
        try:
            value = None if missing else float(baseline.distances([pair], None, None, None)[0])
        except BaselineUnavailable as error:
            value, missing = None, str(error)
        figures.append(_as_published(key, baseline.label, value, missing))
    return figures


def _as_published(key: str, label: str, distance: float | None, reason: str | None) -> Figure:
    """In the units people know: PSNR in dB and (MS-)SSIM as similarity, though baselines are distances."""
    if key.startswith("lpips"):
        return Figure(key, label, distance, "smaller", reason)
    if distance is None:
        return Figure(key, label, None, "larger", reason)
    return Figure(key, label, -distance if key == "psnr" else 1 - distance, "larger", reason)

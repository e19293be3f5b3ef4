"""The distance between two uploaded images, by the promoted metric and by the baselines."""

import threading
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from annotation.errors import Refused
from codecs_zoo.contract import Pixels
from imaging.pictures import PhotographError, load_photograph
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
    first, second = _pixels("reference", reference), _pixels("distorted", distorted)
    if first.shape != second.shape:
        raise Refused(
            f"The reference is {_size(first)} and the distorted image {_size(second)}. Send two images of one size."
        )
    version = promoted_version()
    folder = version_folder(version=version) if version else None
    with _turn:
        distance = _learned(str(folder), version.sha256, first, second) if version else None
        baselines = [asdict(figure) for figure in _baselines(first, second)]
    return {
        "version": version.number if version else None,
        "distance": distance,
        "simulated": bool(version and version.simulated),
        "width": first.shape[1],
        "height": first.shape[0],
        "baselines": baselines,
    }


def _pixels(which: str, file: bytes) -> Pixels:
    try:
        return load_photograph(file, max_pixels=MOST_PIXELS).pixels
    except PhotographError as error:
        raise Refused(f"The {which} can't be used: {error}") from error


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]} pixels"


@lru_cache(maxsize=2)
def _metric(folder: str, sha256: str) -> Any:
    """The loaded metric; `sha256` keeps a folder that was made anew from being taken for the old one."""
    # torch takes two seconds and 200 MB: only the web processes that are asked for a distance load it.
    from metric.core.distance.checkpoint import load

    return load(folder)


def _learned(folder: str, sha256: str, reference: Pixels, distorted: Pixels) -> float:
    from metric.core.distance.features import to_tensor

    metric = _metric(folder, sha256)
    return float(metric(to_tensor([reference]), to_tensor([distorted])))


def _baselines(reference: Pixels, distorted: Pixels) -> list[Figure]:
    from metric.core.distance.baselines import BASELINES, BaselineUnavailable
    from metric.core.distance.images import picture_of

    pair = (picture_of(reference), picture_of(distorted))
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

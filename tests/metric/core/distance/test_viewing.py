"""Metrics that model the viewing condition get the one that sessions recorded, and their label says it."""

import dataclasses

import pytest

from metric.core.distance import rivals
from metric.core.distance.features import Pair
from metric.core.distance.images import as_picture
from metric.core.distance.named import named
from metric.core.distance.rival_packages import PACKAGES
from metric.core.distance.viewing import Viewing, pixels_per_mm, viewing_of
from tests.kit.snapshots import coded, photograph


def test_pixels_of_a_degree_follow_from_the_measured_screens() -> None:
    assert viewing_of([None, None]) is None and viewing_of([]) is None
    # 96 pixels an inch at 60 cm: one degree is 10.47 mm.
    seen = viewing_of([96 / 25.4, None, 96 / 25.4, 20.0])
    assert seen is not None and seen.pixels_per_degree == 40
    assert str(seen) == "40 pixels a degree, screens measured for 75 % of the judgments, 60 cm assumed"


@pytest.mark.parametrize("per_degree", [0.0, -1.0, float("nan"), 301.0])
def test_what_cannot_be_is_refused(per_degree: float) -> None:
    with pytest.raises(ValueError, match="from 5 to 300"):
        Viewing(per_degree, "as given")


def test_it_reaches_the_metric_its_label_and_its_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Viewing | None] = []

    def load(viewing: Viewing | None = None) -> rivals.Compare:
        given.append(viewing)
        return lambda a, b: 1.0

    one = dataclasses.replace(PACKAGES["cvvdp"], packages=(), distribution="", load=load, load_viewed=load)
    monkeypatch.setitem(PACKAGES, "cvvdp", one)
    pixels = photograph(1)
    pairs: list[Pair] = [(as_picture(pixels), as_picture(coded(pixels, "JPEG", 20)))]
    known, unknown = named("cvvdp", Viewing(40, "as given")).baseline, named("cvvdp").baseline
    assert known.label == "ColorVideoVDP (40 pixels a degree)"
    assert unknown.label == "ColorVideoVDP (display standard_4k)"
    for baseline in (known, unknown):
        baseline.distances(pairs, None, None, None)
    assert given == [Viewing(40, "as given"), None]
    assert named("vmaf", Viewing(40, "as given")).baseline.label == "VMAF"


@pytest.mark.parametrize(
    ("screen", "zoom", "per_mm"), [("4", "", 4), ("4", "2", 2), ("", "2", None), ("4.5", "1.5", 3)]
)
def test_an_enlarged_picture_has_fewer_pixels_in_a_millimetre(
    screen: str, zoom: str, per_mm: float | None
) -> None:
    assert pixels_per_mm({"px_per_mm": screen, "zoom": zoom}) == per_mm
    assert pixels_per_mm({}) is None


@pytest.mark.parametrize(
    ("screen", "zoom"),
    [("4", "0"), ("4", "-1"), ("4", "inf"), ("4", "nan"), ("inf", "1"), ("-4", ""), ("four", "")],
)
def test_a_screen_or_a_zoom_that_cannot_be_is_refused(screen: str, zoom: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, the reader of the folder names the file
        pixels_per_mm({"px_per_mm": screen, "zoom": zoom})

"""Size and quality of each codec on one picture, as they were when somebody last looked at them.

After a change that is meant, look at the difference that `pytest tests/codecs_zoo --refresh-golden` makes.
Bounds instead of equality: the encoders choose other instructions, and other roundings, on other processors.
"""

import json
import sys
from pathlib import Path

import pytest

from codecs_zoo import registry
from codecs_zoo.contract import Codec, Pixels, Settings
from codecs_zoo.measure import measure
from codecs_zoo.rate import RateError, encode_to_bpp

GOLDEN = Path(__file__).parents[1] / "golden" / "codecs"
# Of codecs whose library has a later version there: constraints.txt pins another imagecodecs from Python 3.12 on.
LATER = GOLDEN / "python3.12"
TARGETS = (0.67, 1.5)


def figures(codec: Codec, pixels: Pixels) -> dict[str, object]:
    points = []
    for target in TARGETS:
        point = operating_point(codec, pixels, target)
        measured = measure(codec, pixels, point)
        points.append(
            {
                "operating_point": point,
                "file_bytes": measured.file_bytes,
                "payload_bytes": measured.payload_bytes,
                "psnr": round(measured.psnr, 3),
                "ms_ssim": round(measured.ms_ssim or 0, 5),
            }
        )
    return {"version": codec.version, "points": points}


def operating_point(codec: Codec, pixels: Pixels, target: float) -> Settings:
    """Where the codec meets the target, or the highest rate that it has for this picture."""
    try:
        return encode_to_bpp(codec, pixels, target).operating_point
    except RateError:
        knob = codec.knob
        return codec.complete_settings({knob.name: knob.high if knob.rises else knob.low})


RUNNING = [codec for codec in registry.codecs() if codec.availability().available]


def test_all_that_a_package_brings_is_held_to_its_golden_result() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {codec.name for codec in RUNNING} - {"bpg"}


def golden_result(codec: Codec) -> Path:
    """The file of the codec's golden result for this Python."""
    later = LATER / f"{codec.name}.json"
    return later if sys.version_info >= (3, 12) and later.exists() else GOLDEN / later.name


@pytest.mark.parametrize("codec", RUNNING, ids=lambda codec: codec.name)
def test_size_and_quality_are_what_they_were(
    codec: Codec, picture: Pixels, request: pytest.FixtureRequest
) -> None:
    path = golden_result(codec)
    if request.config.getoption("refresh_golden", default=False):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(figures(codec, picture), indent=1) + "\n")
    assert path.exists(), f"{codec.name} has no golden result: run pytest tests/codecs_zoo --refresh-golden"
    for point in json.loads(path.read_text())["points"]:
        now = measure(codec, picture, point["operating_point"])
        assert now.file_bytes == pytest.approx(point["file_bytes"], rel=0.03)
        assert now.payload_bytes == pytest.approx(point["payload_bytes"], rel=0.03)
        assert now.psnr == pytest.approx(point["psnr"], abs=0.15)
        assert now.ms_ssim == pytest.approx(point["ms_ssim"], abs=0.003)

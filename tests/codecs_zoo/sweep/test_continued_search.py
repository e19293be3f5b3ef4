"""A search that a kill interrupts in a sweep is continued by the same command, not begun again."""

from pathlib import Path

import pytest
from PIL import Image

from codecs_zoo import registry
from codecs_zoo.contract import Codec, Pixels
from codecs_zoo.encode_progress import current
from codecs_zoo.rate import RateError, RateResult, encode_to_bpp
from codecs_zoo.sweep import plan, work
from tests.kit.pictures import make_picture


class Killed(BaseException):
    """In the place of kill -9."""


@pytest.fixture
def task(tmp_path: Path) -> plan.Task:
    (tmp_path / "photographs").mkdir()
    Image.fromarray(make_picture(64, 64)).save(tmp_path / "photographs" / "one.png")
    photos, _ = plan.find_photographs(tmp_path / "photographs")
    (made,) = plan.tasks(photos, [registry.get("jpeg")], [1.5])
    return made


def states(out: Path) -> list[Path]:
    return list(out.rglob("*.search"))


def keeps_then(end: BaseException, codec: Codec, pixels: Pixels, target_bpp: float) -> RateResult:
    state = current().state
    assert state is not None
    state.write_bytes(b"half")
    raise end


def test_the_state_of_a_search_outlives_a_kill_and_goes_with_its_file(
    tmp_path: Path, task: plan.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "encode_to_bpp", lambda *rest: keeps_then(Killed(), *rest))
    with pytest.raises(Killed):
        work.make_row(tmp_path / "out", task, ("psnr",))
    (state,) = states(tmp_path / "out")
    seen = []

    def continued(codec: Codec, pixels: Pixels, target_bpp: float) -> RateResult:
        seen.append(current().state)
        return encode_to_bpp(codec, pixels, target_bpp)

    monkeypatch.setattr(work, "encode_to_bpp", continued)
    assert not work.make_row(tmp_path / "out", task, ("psnr",)).failed
    assert seen == [state] and not states(tmp_path / "out")


def test_a_rate_out_of_reach_leaves_no_state(
    tmp_path: Path, task: plan.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_reach = RateError("out of reach")
    monkeypatch.setattr(work, "encode_to_bpp", lambda *rest: keeps_then(out_of_reach, *rest))
    assert work.make_row(tmp_path / "out", task, ("psnr",)).reason
    assert not states(tmp_path / "out")

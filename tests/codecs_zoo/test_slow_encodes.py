"""What the command line shows of an encode that takes long, and how it goes on after a stop."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.classical.jpeg import Jpeg
from codecs_zoo.contract import Codec, Pixels, Settings
from codecs_zoo.encode_progress import Progress, current
from codecs_zoo.variants import with_options
from imaging.png import encode_png
from tests.kit.pictures import make_picture


class Slow(Jpeg):
    """JPEG that counts to three, keeps its count, and is stopped once where it is told to."""

    name = "slow"
    options: ClassVar = {**Jpeg.options, "effort": (0, 1)}
    stop_at = 0

    def seconds_at(self, settings: Settings) -> float:
        return 40_000 if settings["effort"] else 1

    def advice(self, pixels: Pixels) -> str:
        return "too small for slow" if min(pixels.shape[:2]) < 100 else ""

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        follower = current()
        assert follower.state is not None
        done = int(follower.state.read_text()) if follower.state.exists() else 0
        while done < 3:
            done += 1
            follower.report(Progress(done, 3, 0.5, 30.0))
            follower.state.write_text(str(done))
            if done == self.stop_at:
                self.stop_at = 0
                raise KeyboardInterrupt
        return super()._encode(pixels, {name: settings[name] for name in settings if name != "effort"})


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Slow:
    made = Slow()
    monkeypatch.setattr(registry, "get", lambda name: made)
    (tmp_path / "in.png").write_bytes(encode_png(make_picture(64, 64)))
    return made


def encode(folder: Path, *settings: str) -> int:
    given = [part for setting in ("quality=50", *settings) for part in ("--setting", setting)]
    return main(["encode", str(folder / "in.png"), str(folder / "out.clz"), "--codec", "slow", *given])


def test_cost_and_advice_are_told_beforehand(
    slow: Slow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encode(tmp_path, "effort=1") == 0
    messages = capsys.readouterr().out
    assert "about 3 minutes on one core" in messages
    assert "too small for slow" in messages
    assert encode(tmp_path) == 0
    assert "on one core" not in capsys.readouterr().out


def test_a_stopped_encode_keeps_its_state_and_a_finished_one_none(slow: Slow, tmp_path: Path) -> None:
    slow.stop_at = 2
    assert encode(tmp_path) == 130
    state = tmp_path / "out.clz.search"
    assert state.read_text() == "2"
    assert encode(tmp_path) == 0
    assert not state.exists()
    assert (tmp_path / "out.clz").exists()


@pytest.mark.parametrize("of_another", [False, True])
def test_a_rate_out_of_reach_leaves_no_state_of_its_own(slow: Slow, tmp_path: Path, of_another: bool) -> None:
    state = tmp_path / "out.clz.search"
    if of_another:
        state.write_text("1")
    arguments = ["encode", str(tmp_path / "in.png"), str(tmp_path / "out.clz"), "--codec", "slow"]
    assert main([*arguments, "--bpp", "90"]) == 2
    assert state.exists() is of_another and not (tmp_path / "out.clz").exists()


def test_a_variant_costs_what_its_options_cost() -> None:
    slow = Slow()
    variant: Codec = with_options(slow, {"effort": 1})
    assert (slow.seconds_per_megapixel, variant.seconds_per_megapixel) == (Jpeg.seconds_per_megapixel, 40_000)
    assert variant.advice(np.zeros((8, 8, 3), np.uint8)) == "too small for slow"

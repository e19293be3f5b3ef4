"""`--choose-by`: of a codec's options those that look best by a figure, at the same rate."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codecs_zoo import container, registry
from codecs_zoo.__main__ import main
from codecs_zoo.choosing import Candidate, candidates, choose
from codecs_zoo.contract import CodecError
from codecs_zoo.quality import figure


@pytest.fixture
def pixels() -> np.ndarray:
    rng = np.random.default_rng(8)
    return rng.integers(60, 180, (12, 16, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)


def test_the_best_by_the_figure_is_chosen(pixels: np.ndarray) -> None:
    messages: list[Candidate] = []
    tunes = candidates(registry.get("avif"), ["tune"])
    assert [codec.name for codec in tunes] == ["avif", "avif@tune=ssim", "avif@tune=psnr"]
    best = choose(tunes, pixels, 0.8, figure("psnr"), tell=messages.append)
    on_target = [one for one in messages if one.result.reached] or messages
    assert best.value == max(one.value for one in on_target) and len(messages) == 3


def test_smaller_is_better_for_a_distance(pixels: np.ndarray) -> None:
    messages: list[Candidate] = []
    distance = figure("psnr").__class__("d", "d", False, lambda a, b: float(np.abs(a.astype(int) - b).mean()))
    best = choose(candidates(registry.get("avif"), ["tune"]), pixels, 0.8, distance, tell=messages.append)
    assert best.value == min(one.value for one in messages if one.result.reached == best.result.reached)


def test_a_codec_without_options_has_nothing_to_choose() -> None:
    with pytest.raises(CodecError, match="no options to choose among"):
        candidates(registry.get("jpeg"))
    with pytest.raises(CodecError, match="has no option effort"):
        candidates(registry.get("avif"), ["effort"])


def test_the_command_says_what_was_tuned_on(
    pixels: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(pixels).save(tmp_path / "in.png")
    arguments = [
        "encode",
        str(tmp_path / "in.png"),
        str(tmp_path / "out.clz"),
        "--codec",
        "avif",
        "--bpp",
        "0.8",
    ]
    assert main([*arguments, "--choose-by", "psnr", "--choose", "tune"]) == 0
    messages = capsys.readouterr().out
    assert "avif@tune=psnr" in messages and "psnr. Evaluate this file by other metrics" in messages
    assert "not tuned on: MS-SSIM undefined (the picture is too small), LPIPS" in messages
    assert container.unpack((tmp_path / "out.clz").read_bytes())[0].codec == "avif"


def test_it_needs_a_rate(pixels: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels).save(tmp_path / "in.png")
    arguments = ["encode", str(tmp_path / "in.png"), str(tmp_path / "out.clz"), "--codec", "avif"]
    assert main([*arguments, "--setting", "quantizer=40", "--choose-by", "psnr"]) == 2
    assert "give --bpp" in capsys.readouterr().err

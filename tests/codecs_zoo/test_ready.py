"""What a codec's options name is looked at before the first encode: a sweep does not fail row by row, hours later."""

import json
from pathlib import Path

import pytest

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.contract import CodecError
from codecs_zoo.sweep import plan
from codecs_zoo.variants import check_ready
from imaging.png import encode_png
from tests.kit.pictures import make_picture

DAMAGED = "checkerboard@effort=1,tune=./damaged"
UNSTEERABLE = "checkerboard@effort=1,saliency=combined"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photograph, a damaged metric version and no model."""
    (tmp_path / "photographs/images").mkdir(parents=True)
    (tmp_path / "photographs/images/in.png").write_bytes(encode_png(make_picture(64, 64)))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/manifest.json").write_text("{")
    monkeypatch.setenv("CLOSER_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("codec", "words"),
    [(DAMAGED, "damaged/manifest.json is damaged"), (UNSTEERABLE, "The kind 'contrast' needs no model.")],
)
@pytest.mark.parametrize(
    "line",
    [
        "sweep photographs/images --codecs jpeg,{} --bpp 1 --out out",
        "encode photographs/images/in.png out --codec {} --bpp 1",
        "encode photographs/images/in.png out --codec {} --bpp 1 --choose-by psnr --choose saliency",
        "sweep photographs/images --codecs {},choose-by=psnr,choose=saliency --bpp 1 --out out",
    ],
)
def test_nothing_begins_that_must_fail(
    folder: Path, line: str, codec: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.format(codec).split()) == 2
    output = capsys.readouterr()
    assert words in output.err and len(output.err.splitlines()) == 1
    assert not (folder / "out").exists()


def test_a_report_and_a_map_without_their_models_write_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (
        "saliency photographs/images/in.png out.png",
        "saliency-report photographs/images --out out",
    ):
        assert main(line.split()) == 2
        assert "is unavailable" in capsys.readouterr().err
    assert not (folder / "out").exists() and not (folder / "out.png").exists()


def test_what_is_made_already_needs_nothing(folder: Path) -> None:
    photo = plan.read_photograph(folder / "photographs/images/in.png")
    task = plan.Task(photo, DAMAGED, "1", 1.0)
    with pytest.raises(CodecError, match="cannot be used"):
        plan.check_ready(folder / "out", [task], retry=False)
    plan.write_row(folder / "out", task, plan.success(task))
    plan.check_ready(folder / "out", [task], retry=True)
    plan.write_row(folder / "out", task, plan.failure(task, "no disk"))
    plan.check_ready(folder / "out", [task], retry=False)
    with pytest.raises(CodecError, match="cannot be used"):
        plan.check_ready(folder / "out", [task], retry=True)


def test_a_codec_without_a_search_needs_no_metric() -> None:
    check_ready(registry.get("checkerboard"))
    check_ready(registry.get("checkerboard@effort=1,saliency=contrast"))


def test_a_file_is_tuned_on_the_trunks_and_terms_inside_a_version(folder: Path) -> None:
    settings = {"nets": ["vgg", "alex"], "terms": ["ssim2", "psnr"]}
    (folder / "damaged/settings.json").write_text(json.dumps(settings))
    codec = registry.get(DAMAGED)
    complete = codec.complete_settings({"quality": 3})
    assert codec.tuned_on(complete) == ("./damaged", "lpips-vgg", "lpips-alex", "ssimulacra2")
    (folder / "damaged/settings.json").write_text("[]")
    assert codec.tuned_on(complete) == ("./damaged",)

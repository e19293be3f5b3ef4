"""Training: a folder of photographs in, weights out that the codec can code with."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid import trainer as training_run
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.freeze import freeze
from codecs_zoo.learned.pyramid.muon import Muon, orthogonal
from codecs_zoo.learned.pyramid.photographs import Crops, read_photographs
from codecs_zoo.learned.pyramid.storing import read_model, write_weights
from codecs_zoo.learned.pyramid.trainer import Trainer
from codecs_zoo.learned.pyramid.training import main, parser, settings_of
from codecs_zoo.learned.pyramid.training_settings import TrainingSettings
from tests.codecs_zoo.learned.pyramid.conftest import SMALL, make_model, smooth_picture


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(training_run, "HELD_OUT_SIDE", 64)
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(3):
        Image.fromarray(smooth_picture(96, 128, seed)).save(folder / f"{seed}.png")
    return folder


def test_a_run_leaves_weights_that_code(photographs: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(
        data=(str(photographs),), minutes=1, batch=2, crop=64, learning_rate=0.004, warm_up=5
    )
    trainer = Trainer(settings, tmp_path / "out", SMALL)
    for step in range(60):
        if step == 15:
            trainer.save()
        trainer.advance(step / 60)
    trainer.save()
    about = json.loads((tmp_path / "out" / "pyramid.json").read_text())
    first, last = about["log"]
    assert last["loss"] < 0.9 * first["loss"]
    assert about["settings"]["crop"] == 64
    freeze(tmp_path / "out" / "pyramid.safetensors", tmp_path / "frozen")
    codec = PyramidCodec()
    codec.weights = tmp_path / "frozen"
    picture = smooth_picture(64, 96, 9)
    assert codec.decode(codec.encode(picture, bpp=1.0)).shape == picture.shape


def test_the_clock_ends_a_run(photographs: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(data=(str(photographs),), minutes=0.005, batch=2, crop=64)
    Trainer(settings, tmp_path / "out", SMALL).run()
    assert json.loads((tmp_path / "out" / "pyramid.json").read_text())["log"][-1]["step"] >= 1


def quick(photographs: Path, **more: object) -> TrainingSettings:
    given = {"steps": 12, "batch": 2, "crop": 64, "learning_rate": 0.004, "warm_up": 4, "save_every": 1e9}
    return TrainingSettings(data=(str(photographs),), **{**given, **more})  # type: ignore[arg-type]


def test_a_killed_run_ends_where_it_would_have(photographs: Path, tmp_path: Path) -> None:
    whole = Trainer(quick(photographs), tmp_path / "whole", SMALL)
    whole.run()
    killed = Trainer(quick(photographs), tmp_path / "killed", SMALL)
    for step in range(5):
        killed.advance(step / 12)
    killed.save()
    torch.rand(7)  # another process draws other numbers
    resumed = Trainer(quick(photographs), tmp_path / "killed", SMALL)
    assert resumed.step == 5
    resumed.run()
    assert resumed.step == 12
    for own, its in zip(whole.mean.parameters(), resumed.mean.parameters(), strict=True):
        assert torch.allclose(own, its, atol=1e-6)


def test_a_damaged_state_is_named(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "state.pt").write_bytes(b"not a training state")
    with pytest.raises(CodecError, match=r"state\.pt is damaged.*delete it to start from the beginning"):
        Trainer(quick(photographs), tmp_path / "out", SMALL)


def gradients_times(trainer: Trainer, factor: float) -> None:
    """From now on, each gradient is so many times as large."""
    for parameter in trainer.stepper.parameters:
        parameter.register_hook(lambda gradient: gradient * factor)


def momenta(trainer: Trainer) -> torch.Tensor:
    return torch.cat([each.flatten() for each in trainer.stepper.muon.state()]).clone()


def test_a_step_that_is_not_finite_changes_nothing(photographs: Path, tmp_path: Path) -> None:
    trainer = Trainer(quick(photographs), tmp_path / "out", SMALL)
    trainer.advance(0.1)
    before = [each.detach().clone() for each in trainer.model.parameters()], momenta(trainer)
    gradients_times(trainer, float("nan"))
    trainer.advance(0.2)
    assert all(torch.equal(own, its) for own, its in zip(trainer.model.parameters(), before[0], strict=True))
    assert torch.equal(momenta(trainer), before[1])
    assert trainer.stepper.figures(2)["skipped"] == 1
    trainer.save()
    trainer.advance(0.3)
    with pytest.raises(CodecError, match="None of the last 1 steps had a finite gradient"):
        trainer.save()
    assert (tmp_path / "out" / "state.pt").exists()


def test_a_spike_moves_the_momenta_little_more_than_a_usual_gradient(
    photographs: Path, tmp_path: Path
) -> None:
    trainer = Trainer(quick(photographs), tmp_path / "out", SMALL)
    trainer.stepper.usual.fill_(0.01)
    gradients_times(trainer, 1e6)
    trainer.advance(0.1)
    size = float(torch.linalg.vector_norm(momenta(trainer)))
    assert 0 < size <= 2.6 * 0.01
    assert trainer.stepper.figures(1)["clipped"] == 1
    assert float(trainer.stepper.usual) < 0.011


def test_the_recipe_replays_from_its_file(photographs: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps({"data": ["elsewhere"], "steps": 40, "batch": 2, "crop": 64, "minutes": 60}))
    line = [
        "--settings",
        str(file),
        "--data",
        str(photographs),
        "--out",
        str(tmp_path / "out"),
        "--steps",
        "1",
    ]
    settings = settings_of(parser().parse_args(line))
    assert (settings.data, settings.steps, settings.batch) == ((str(photographs),), 1, 2)
    recipe = Path(__file__).parents[4] / "codecs_zoo/learned/weights/pyramid.json"
    stored = json.loads(recipe.read_text())
    assert (
        settings_of(parser().parse_args(["--settings", str(recipe), *line[2:6]])).minutes == stored["minutes"]
    )


def refused(line: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command line that is refused prints; its exit status is that of misuse."""
    with pytest.raises(SystemExit) as end:
        main(line)
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "does not contain settings"),
        ('{"minuets": 3}', "does not contain settings"),
        ("{}", "Training needs an end"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    (tmp_path / "recipe.json").write_text(content)
    line = ["--settings", str(tmp_path / "recipe.json"), "--data", "x", "--out", str(tmp_path / "out")]
    assert words in refused(line, capsys)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_training_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--data", "nowhere", "--out", str(tmp_path / "out"), "--steps", "3"]
    assert "There is no folder nowhere" in refused(line, capsys)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_text("{}")
    assert "was started with different settings" in refused(line, capsys)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--learning-rate=nan", "The learning rate must be above 0"),
        ("--minutes=inf", "Training needs an end"),
        ("--save-every=-1", "Save-every must be"),
        ("--device=tpu", "There is no device named 'tpu'. Use one of cpu, cuda"),
        ("--settings=missing.json", "There is no file or folder missing.json"),
    ],
)
def test_settings_out_of_their_range_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    assert words in refused(["--data", "x", "--out", str(tmp_path / "out"), "--steps", "3", option], capsys)
    assert not (tmp_path / "out").exists()


def test_crops_are_pieces_of_photographs(photographs: Path) -> None:
    pixels = read_photographs(photographs, 64)
    crops = Crops(pixels[:1], torch.device("cpu")).draw(8, 96)
    whole = {tuple(pixel) for row in pixels[0] for pixel in row}
    result = (crops * 255).round().byte().permute(0, 2, 3, 1).reshape(-1, 3)
    assert {tuple(pixel.tolist()) for pixel in result} <= {tuple(map(int, pixel)) for pixel in whole}
    assert len({crop.numpy().tobytes() for crop in crops}) > 4


def test_a_large_photograph_is_used_at_half_its_size_too(tmp_path: Path) -> None:
    Image.fromarray(smooth_picture(100, 1200)).save(tmp_path / "wide.png")
    assert [each.shape[:2] for each in read_photographs(tmp_path, 50)] == [(100, 1200), (50, 600)]


def test_folders_without_photographs_are_said(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="There is no folder"):
        read_photographs(tmp_path / "none", 64)
    with pytest.raises(CodecError, match="No photograph"):
        read_photographs(tmp_path, 64)


def test_weights_come_back_and_the_analysis_in_8_bits(tmp_path: Path) -> None:
    model = make_model()
    write_weights(model, tmp_path / "weights")
    result, frozen = read_model(tmp_path / "weights")
    assert not frozen
    for (name, before), after in zip(model.state_dict().items(), result.state_dict().values(), strict=True):
        bound = before.abs().max() / 100 if name.startswith("analysis.") else before.abs().max() / 1000
        assert (before - after).abs().max() <= bound, name


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"no weights at all", bytes(100)):
        (tmp_path / "weights").write_bytes(content)
        with pytest.raises(CodecError, match="does not contain weights of pyramid.*Give another file"):
            read_model(tmp_path / "weights")


def test_updates_are_nearly_orthogonal() -> None:
    for shape in ((3, 8, 20), (2, 20, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.5
        assert values.max() < 1.3


def test_an_update_goes_down_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.zeros(4, 6, 1, 1))
    weight.grad = torch.randn_like(weight)
    Muon([weight]).step(torch.tensor(0.1))
    assert (weight.detach() * weight.grad).sum() < 0

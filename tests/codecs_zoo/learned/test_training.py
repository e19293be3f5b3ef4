"""Training goes from folders to a folder, goes on after a kill, and leaves weights that code."""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from codecs_zoo.__main__ import main
from codecs_zoo.contract import CodecError
from codecs_zoo.learned import training
from codecs_zoo.learned.networks import trainer
from codecs_zoo.learned.networks.model import LearnedModel
from codecs_zoo.learned.networks.weights import load_weights, read_weights
from codecs_zoo.learned.training_settings import TrainingSettings, network_builder
from imaging.errors import PhotographError
from imaging.png import encode_png
from metric.core.codec_tuning import CodecTuning
from tests.codecs_zoo.learned.conftest import TINY
from tests.kit.pictures import make_picture

NAME = "mean-scale-hyperprior"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(2):
        (folder / f"{seed}.png").write_bytes(encode_png(make_picture(96, 128, seed)))
    (folder / "notes.txt").write_text("no photograph")
    return folder


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def tiny(name: str) -> Callable[[object], LearnedModel]:
        return lambda shape: network_builder(name)(TINY)

    def components(crops: object, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return torch.eye(count, 768), torch.zeros(768), torch.ones(count)

    monkeypatch.setattr(trainer, "network_builder", tiny)
    monkeypatch.setattr(trainer, "principal_components", components)


def settings_for(photographs: Path, **changes: object) -> TrainingSettings:
    given: dict[str, object] = {
        "name": NAME,
        "data": (str(photographs),),
        "steps": 4,
        "batch": 2,
        "crop": 64,
        "save_every": 2,
        "log_every": 1,
        "warm_up": 2,
    }
    return TrainingSettings(**(given | changes))  # type: ignore[arg-type]


def test_the_folder_is_whole_and_its_weights_code(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "trained"
    weights = trainer.train(settings_for(photographs), out)
    result = {path.name for path in out.iterdir()}
    assert result == {"settings.json", "state.pt", "log.csv", "curve.svg", "manifest.json", weights.name}
    assert json.loads((out / "manifest.json").read_text())["last"]["step"] == 4
    assert "<line" in (out / "curve.svg").read_text()
    model = load_weights(NAME, weights, network_builder(NAME))
    coded = model.compress(torch.rand(1, 3, 32, 64))
    assert model.decompress(coded["strings"], coded["shape"])["x_hat"].shape == (1, 3, 32, 64)


def test_the_state_may_be_saved_before_the_first_line_of_the_log(photographs: Path, tmp_path: Path) -> None:
    trainer.train(settings_for(photographs, steps=3, save_every=1, log_every=3), tmp_path / "out")
    assert (tmp_path / "out" / "manifest.json").exists()


def test_after_a_kill_it_ends_where_it_would_have(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(photographs)
    whole = read_weights(trainer.train(settings, tmp_path / "whole"))[1]
    step = trainer._Training._one_step

    def killed(training: trainer._Training, share: float) -> None:
        if training.step == 3:
            raise KeyboardInterrupt
        step(training, share)

    monkeypatch.setattr(trainer._Training, "_one_step", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings, tmp_path / "killed")
    monkeypatch.setattr(trainer._Training, "_one_step", step)
    again = read_weights(trainer.train(settings, tmp_path / "killed"))[1]
    assert all(torch.allclose(whole[key].float(), again[key].float(), atol=1e-3) for key in whole)
    with (tmp_path / "killed" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]


def test_other_settings_need_another_folder(photographs: Path, tmp_path: Path) -> None:
    trainer.train(settings_for(photographs, steps=1), tmp_path)
    with pytest.raises(ValueError, match="was started with different settings"):
        trainer.train(settings_for(photographs, steps=2), tmp_path)


def test_a_folder_with_other_things_is_left_alone(photographs: Path) -> None:
    before = sorted(photographs.iterdir())
    with pytest.raises(CodecError, match="is not empty and holds no training"):
        trainer.train(settings_for(photographs), photographs)
    assert sorted(photographs.iterdir()) == before


def test_a_folder_with_a_draft_that_a_kill_left_is_used(photographs: Path, tmp_path: Path) -> None:
    for name in (".settings.json.x7.json", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).touch()
    trainer.train(settings_for(photographs, steps=1), tmp_path)
    assert (tmp_path / "manifest.json").exists()


def test_options_replace_the_values_of_a_settings_file(tmp_path: Path) -> None:
    """Left aside in silence, `--steps 3` with a recipe would train for as long as the recipe says."""
    file = tmp_path / "recipe.json"
    file.write_text(
        json.dumps({"name": NAME, "steps": 70, "batch": 2, "seed": 5, "bf16": True, "data": ["old"]})
    )
    line = ["train", "--settings", str(file), "--data", "new", "--out", "out", "--steps", "3", "--float32"]
    parser = argparse.ArgumentParser()
    training.add_train_command(parser.add_subparsers())
    chosen = training._settings(parser.parse_args(line))
    assert (chosen.name, chosen.steps, chosen.batch, chosen.seed) == (NAME, 3, 2, 5)
    assert (chosen.data, chosen.bf16) == (("new",), False)


@pytest.mark.parametrize("wrong", ["small", "damaged", "metric"])
def test_what_cannot_be_trained_on_is_named_and_leaves_nothing(wrong: str, tmp_path: Path) -> None:
    folder, out = tmp_path / "photographs", tmp_path / "out"
    folder.mkdir()
    side = 30 if wrong == "small" else 96
    (folder / "one.png").write_bytes(
        encode_png(make_picture(side, side))[: 900 if wrong == "damaged" else None]
    )
    (tmp_path / "metric").mkdir()
    (tmp_path / "metric" / "manifest.json").write_text("{}")
    words = {
        "small": "No photograph has at least 64 x 64 pixels",
        "damaged": "one.png cannot be read",
        "metric": "The metric cannot be used",
    }[wrong]
    tune = str(tmp_path / "metric") if wrong == "metric" else "mse"
    with pytest.raises((CodecError, PhotographError), match=words):
        trainer.train(settings_for(folder, tune=tune), out)
    assert not out.exists()


def test_a_relative_gives_what_fits(photographs: Path, tmp_path: Path) -> None:
    first = trainer.train(settings_for(photographs), tmp_path / "first")
    start = settings_for(photographs, name="checkerboard", steps=1, learning_rate=1e-7, start=str(first))
    second = trainer.train(start, tmp_path / "second")
    key = "synthesis.linear.weight"
    assert torch.equal(read_weights(first)[1][key], read_weights(second)[1][key])


@pytest.mark.parametrize(
    "refused",
    [
        {"learning_rate": 0.5},
        {"learning_rate": math.nan},
        {"metric_weight": 500.0},
        {"batch": 1000},
        {"crop": 2048},
        {"crop": 100},
        {"seed": -1},
        {"steps": 0},
        {"steps": 1.5},
    ],
)
def test_what_a_tuning_refuses_every_training_refuses(photographs: Path, refused: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(refused))):
        CodecTuning(**refused)
    with pytest.raises(CodecError, match=next(iter(refused))):
        settings_for(photographs, **refused)


def test_the_learning_rate_rises_and_falls(photographs: Path) -> None:
    settings = settings_for(photographs, steps=100, warm_up=10, learning_rate=0.01)
    rates = [trainer.learning_rate(settings, step, step / 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.001)
    assert max(rates) == rates[9] == 0.01
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.0002


def test_the_command_trains_and_refuses_in_words(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", NAME, "--data", str(photographs), "--out", str(tmp_path / "out"), "--batch", "1"]
    assert main([*arguments, "--crop", "64", "--steps", "1", "--float32"]) == 0
    assert (tmp_path / "out" / "manifest.json").exists()
    bad = tmp_path / "bad.pt"
    bad.write_text("hello")
    foreign, other_state, recipe = (tmp_path / name for name in ("x.safetensors", "x.pt", "recipe.json"))
    save_file({"x": torch.zeros(1)}, foreign)
    torch.save({"model": {"x": torch.zeros(1)}, "step": 3}, other_state)
    recipe.write_text('{"minuets": 3}')
    refused = {
        "--crop=70": "multiple of 32",
        "--crop=256": "No photograph has",
        "--steps=0": "a whole number from 1 to",
        f"--start={bad}": "bad.pt is damaged or not a training state (KeyError). Use another file.",
        "--start=jpeg": "There is no file jpeg to start from. Use weights (.safetensors)",
        f"--start={tmp_path / 'none.safetensors'}": "There is no file",
        f"--start={foreign}": "has format None",
        f"--start={other_state}": f"Nothing in {other_state} fits {NAME}",
        "--parts=decoder": "The decoder alone can be trained only from weights",
        f"--settings={recipe}": "does not contain settings of a training (unknown: minuets)",
    }
    for wrong, reason in refused.items():
        other = str(tmp_path / wrong[:5])
        assert main([*arguments, "--crop", "64", "--out", other, wrong]) == 2
        assert reason in capsys.readouterr().err
    (tmp_path / "out" / "state.pt").write_bytes((tmp_path / "out" / "state.pt").read_bytes()[:-100])
    assert main([*arguments, "--crop", "64", "--steps", "1", "--float32"]) == 2
    assert "state.pt is damaged" in capsys.readouterr().err
    assert main(["train", NAME, "--data", str(tmp_path / "none"), "--out", str(tmp_path / "third")]) == 2
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_train_one_network(photographs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["--local-addr", "127.0.0.1"]
    arguments = ["-m", "codecs_zoo", "train", NAME, "--data", str(photographs), "--out", str(tmp_path)]
    sizes = ["--steps", "2", "--batch", "1", "--crop", "64"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [*command, *arguments, *sizes], check=True, capture_output=True, env=environment, timeout=110
    )
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["processes"] == 2
    assert np.isfinite(manifest["last"]["loss"])

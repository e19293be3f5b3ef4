"""Bad input ends a command with a sentence and status 2; a fault of the program is never taken for bad input."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from metric.__main__ import main
from metric.core.errors import InputError, Unavailable
from metric.core.training.fit import FitError

FAULTS = [ValueError("operands could not be broadcast together"), RuntimeError("mat1 and mat2 shapes")]


def failing(monkeypatch: pytest.MonkeyPatch, where: str, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(where, fail)


@pytest.mark.parametrize("fault", FAULTS, ids=["value", "run time"])
@pytest.mark.parametrize(
    ("where", "arguments"),
    [
        ("metric.score._pairs", ["score", "ref.png", "a.png"]),
        ("metric.core.distance.checkpoint.load", ["prefer", "version", "ref.png", "a.png", "b.png"]),
        ("metric.reports.compared.compare", ["compare", "answers.csv", "--metrics", "psnr"]),
        ("metric.core.training.train.train", ["train", "snapshot", "out"]),
        ("metric.core.training.train.curve_of", ["curve", "snapshot"]),
        ("metric.core.distance.checkpoint.load", ["export", "version", "out.onnx"]),
        ("metric.core.public_sets.command.read_sets", ["fetch"]),
    ],
    ids=["score", "prefer", "compare", "train", "curve", "export", "fetch"],
)
def test_a_fault_of_the_program_is_raised(
    where: str, arguments: list[str], fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, where, fault)
    with pytest.raises(type(fault), match=str(fault)):
        main(arguments)


@pytest.mark.parametrize("error", [InputError("Give a folder."), Unavailable("Install it.")])
def test_what_the_caller_can_put_right_is_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, "metric.core.training.train.train", error)
    assert main(["train", "snapshot", "out"]) == 2
    assert capsys.readouterr().err == f"{error}\n"


@pytest.mark.parametrize("fault", FAULTS, ids=["value", "run time"])
def test_management_commands_raise_it_too(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    failing(monkeypatch, "metric.management.commands.train_metric.train_folder", fault)
    with pytest.raises(type(fault), match=str(fault)):
        call_command("train_metric", str(tmp_path), "--out", str(tmp_path / "out"))
    failing(monkeypatch, "metric.management.commands.evaluate_metric.evaluate_on", fault)
    failing_answers = "metric.management.commands.evaluate_metric.read_judged_pairs"
    monkeypatch.setattr(failing_answers, lambda *_: None)
    with pytest.raises(type(fault), match=str(fault)):
        call_command("evaluate_metric", str(tmp_path), "--judgments", "answers.csv")
    failing(monkeypatch, failing_answers, InputError("Give a file."))
    with pytest.raises(CommandError) as refused:
        call_command("evaluate_metric", str(tmp_path), "--judgments", "answers.csv")
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    "error", [FitError("Nothing agrees."), Unavailable("Install it."), OSError(28, "Full")]
)
def test_both_commands_that_train_have_one_status(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    failing(monkeypatch, "metric.management.commands.train_metric.train_folder", error)
    failing(monkeypatch, "metric.core.training.train.train", error)
    with pytest.raises(CommandError) as refused:
        call_command("train_metric", str(tmp_path), "--out", str(tmp_path / "out"))
    assert refused.value.returncode == main(["train", str(tmp_path), "out"]) == 2
    assert f"{refused.value}\n" == capsys.readouterr().err

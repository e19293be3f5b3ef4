"""The script for a GPU: it reports what cannot be done before the minutes are spent."""

from pathlib import Path

import pytest

from benchmarks import gpu
from codecs_zoo.contract import CodecError


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert gpu.main(["--out", str(tmp_path / "out"), "--data", str(tmp_path / "in"), *more]) == 2
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


def test_a_metric_that_is_not_here_is_told_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(tune: str) -> None:
        raise CodecError(f"No trunk for {tune}.")

    monkeypatch.setattr(gpu, "metric_for", missing)
    assert "gpu: No trunk for perceptual." in refused(tmp_path, capsys)


def test_misuse_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "metric_for", lambda tune: None)
    assert "There is no folder" in refused(tmp_path, capsys)
    (tmp_path / "in").mkdir()
    assert "There is no photograph in" in refused(tmp_path, capsys)
    assert "crop must be a multiple of 32" in refused(tmp_path, capsys, "--crop", "70")

"""A training run's settings on the command line: each has an option, and only what is given is set."""

import argparse
from dataclasses import fields

import pytest

from metric.core.config import TrainConfig
from metric.core.training.options import add_settings, settings_of


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_settings(parser)
    return parser


def given(parser: argparse.ArgumentParser, words: str) -> dict[str, object]:
    return settings_of(vars(parser.parse_args(words.split())))


def test_nothing_given_is_nothing_set(parser: argparse.ArgumentParser) -> None:
    assert given(parser, "") == {}


def test_every_setting_can_be_given(parser: argparse.ArgumentParser) -> None:
    words = (
        "--net vgg alex --kind comp --terms psnr --structure --no-layer-scales --strengths 3 0.5 --folds 4"
        " --seed 7 --no-side-bias --no-lapse --reliability --epochs 3 --patience 1 --learning-rate 1e-4 --crop 96"
        " --compile --resamples 200 --baselines psnr ssim --minimum-photographs 4 --minimum-judgments 50"
        " --device cpu --processes 2 --no-learning-curve --all"
    )
    result = given(parser, words)
    assert set(result) == {field.name for field in fields(TrainConfig)} - {"net"}
    usual = TrainConfig().as_json()
    settled = TrainConfig(**result).as_json()  # type: ignore[arg-type]
    assert [name for name, value in settled.items() if value == usual[name]] == []
    assert (settled["nets"], settled["strengths"], settled["layer_scales"]) == (
        ["vgg", "alex"],
        [3, 0.5],
        False,
    )


def test_rows_of_the_table_can_be_left_out(parser: argparse.ArgumentParser) -> None:
    assert given(parser, "--baselines --terms") == {"baselines": (), "terms": ()}


def test_the_former_name_of_terms_stays(parser: argparse.ArgumentParser) -> None:
    assert given(parser, "--term psnr ms-ssim") == {"terms": ("psnr", "ms-ssim")}


def test_help_says_what_is_usual(parser: argparse.ArgumentParser) -> None:
    text = " ".join(parser.format_help().split())
    for words in (
        "none uses the terms only (none)",
        "on held-out folds (lapse)",
        "cross-validation, grouped by photograph (5, 2 to 50)",
    ):
        assert words in text


@pytest.mark.parametrize("words", ["--net resnet", "--folds many", "--device tpu"])
def test_what_is_not_known_is_refused(parser: argparse.ArgumentParser, words: str) -> None:
    with pytest.raises(argparse.ArgumentError):
        parser.parse_args(words.split())

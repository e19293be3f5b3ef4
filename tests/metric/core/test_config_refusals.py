"""Settings that could touch what a version is promoted by, or fail only at night, are refused at once."""

from typing import Any

import pytest

from metric.core.config import TrainConfig


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"resamples": 1}, "resamples must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": "a"}, "seed must be"),
        ({"folds": 2.5}, "folds must be a whole number from 2 to 50"),
        ({"minimum_photographs": -1}, "minimum_photographs must be"),
        ({"strengths": (float("nan"),)}, "strengths must be"),
        ({"side_bias": "no"}, "side_bias must be true or false"),
        ({"nets": ("none",), "terms": ()}, "Without a trunk"),
        ({"nets": ("none", "alex"), "terms": ("psnr",)}, "Without a trunk"),
        ({"nets": ("none",), "terms": ("psnr",), "structure": True}, "Without a trunk"),
        ({"nets": ("none",), "terms": ("psnr",), "kind": "comp"}, "Without a trunk"),
    ],
)
def test_no_setting_narrows_an_interval_or_fails_late(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainConfig(**setting)

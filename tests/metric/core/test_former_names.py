"""Former names of public modules go on working for a release, with a warning."""

import importlib
import subprocess
import sys

import pytest

from metric.core.distance import weights
from metric.core.training import train


@pytest.mark.parametrize(
    ("name", "attribute", "now"), [("train", "train", train), ("weights", "ensure", weights)]
)
def test_a_former_module_warns_and_gives_the_same(name: str, attribute: str, now: object) -> None:
    sys.modules.pop(f"metric.core.{name}", None)
    with pytest.warns(DeprecationWarning, match=f"metric.core.{name} is now"):
        former = importlib.import_module(f"metric.core.{name}")
    assert getattr(former, attribute) is getattr(now, attribute)


def test_the_former_command_still_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "metric.core.weights", "resnet"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "resnet" in done.stderr

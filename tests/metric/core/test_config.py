"""The settings of a run, named without torch, are those that the code knows."""

import subprocess
import sys

from metric.core.config import BASELINE_KEYS, NETS
from metric.core.distance.baselines import BASELINES
from metric.core.distance.trunks import SHAPES


def test_every_trunk_and_baseline_is_named() -> None:
    assert set(NETS) == set(SHAPES)
    assert set(BASELINE_KEYS) == set(BASELINES)


def test_asking_for_a_run_loads_no_torch() -> None:
    code = "import sys, metric.core.config; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

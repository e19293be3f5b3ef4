"""Metrics of other packages and callables: their own figures, and a reason where there is none."""

import os
import signal
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from metric.core.config import RIVALS, ROWS
from metric.core.distance import own_process, rivals
from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.features import Pair
from metric.core.distance.images import as_picture
from metric.core.distance.named import UnknownMetric, named, require_known
from metric.core.distance.own_process import OwnProcess, ProcessFailed
from metric.core.distance.rival_packages import PACKAGES
from metric.core.offered import ENTRY_POINTS
from tests.config.run.processes import is_running
from tests.kit.snapshots import coded, photograph
from tests.metric.core.caches import open_cache

OWN = """
import os
import sys
import time
import numpy as np

def mean_error(a, b):
    return float(np.abs(a.astype(float) - b).mean())

def similarity(a, b):
    return -mean_error(a, b)
similarity.higher_is_better = True

def crashes(a, b):
    raise KeyError("no such picture")

def lines(a, b):
    raise ValueError("one\\n  two")

def nan(a, b):
    return float("nan")

def shape(a, b):
    return np.zeros((2, 3))

def blackens(a, b):
    a[:] = 0
    b[:] = 0
    return 1.0

def huge(a, b):
    return 1e300

def words(a, b):
    return "close"

class Recording:
    def __array__(self, *args, **options):
        raise RuntimeError("it records gradients")

def gradients(a, b):
    return Recording()

def ragged(a, b):
    return [[1.0], [1.0, 2.0]]

def hangs(a, b):
    flag = os.path.join(os.path.dirname(__file__), 'flag')
    if not os.path.exists(flag):
        open(flag, 'w').close()
        time.sleep(60)
    return 0.0

def dawdles(a, b):
    time.sleep(0.02)
    return 0.0

def exits(a, b):
    sys.exit(3)

def dies(a, b):
    os._exit(7)

def crashes_hard(a, b):
    os.kill(os.getpid(), 11)

def starts_another(a, b):
    import subprocess
    other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
    with open(os.path.join(os.path.dirname(__file__), 'other'), 'w') as file:
        file.write(str(other.pid))
    os._exit(1)

def closes(a, b):
    os.closerange(3, 64)
    time.sleep(60)

def speaks(a, b):
    print("in Python")
    os.write(1, b"in C")
    return 0.5

number = 5
"""


@pytest.fixture
def pairs() -> list[Pair]:
    picture = photograph(1, (192, 176))
    return [(as_picture(picture), as_picture(coded(picture, "JPEG", quality))) for quality in (10, 40, 90)]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_metrics", raising=False)
    return "own_metrics"


def test_any_callable_is_a_metric(own: str, pairs: list[Pair]) -> None:
    error = named(f"{own}:mean_error").baseline.distances(pairs, None, None, None)
    assert list(np.argsort(error)) == [2, 1, 0]
    likeness = named(f"{own}:similarity").baseline.distances(pairs, None, None, None)
    assert likeness == pytest.approx(error)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("crashes", "it failed on a picture .KeyError: .no such picture..$"),
        ("lines", "it failed on a picture .ValueError: one two.$"),
        ("exits", "it failed on a picture .SystemExit: 3.$"),
        ("dies", "it ended its process .exit status 7.$"),
        ("crashes_hard", "it ended its process .SIGSEGV.$"),
        ("nan", "it returned nan for a picture"),
        ("shape", "of shape .2, 3., not one number"),
        ("words", ", not one number"),
        ("gradients", "it returned no number .RuntimeError"),
        ("ragged", "it returned no number .ValueError"),
    ],
)
def test_a_callable_that_gives_no_number_is_unavailable_with_the_reason(
    own: str, pairs: list[Pair], name: str, reason: str
) -> None:
    with pytest.raises(BaselineUnavailable, match=reason):
        named(f"{own}:{name}").baseline.distances(pairs, None, None, None)


def test_a_callable_that_hangs_is_ended_and_can_be_used_for_another_pair(
    own: str, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = OwnProcess(f"{own}:hangs")
    process = metric._process
    with pytest.raises(ProcessFailed, match="it took more than 0 s for one pair"):
        metric.value(*(picture.read() for picture in pairs[0]), 0.1)
    assert process.returncode is not None
    assert metric.value(*(picture.read() for picture in pairs[0]), 60) == 0.0


def test_what_a_callable_started_ends_with_its_process(own: str, pairs: list[Pair], tmp_path: Path) -> None:
    metric = OwnProcess(f"{own}:starts_another")
    with pytest.raises(ProcessFailed, match="it ended its process .exit status 1."):
        metric.value(*(picture.read() for picture in pairs[0]), 60)
    other, until = int((tmp_path / "other").read_text()), time.monotonic() + 10
    while is_running(other) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(other)


def test_a_callable_that_closes_its_pipe_is_ended(
    own: str, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_process, "SECONDS_TO_END", 0.1)
    metric = OwnProcess(f"{own}:closes")
    process = metric._process
    with pytest.raises(ProcessFailed, match="it closed the pipe of its process"):
        metric.value(*(picture.read() for picture in pairs[0]), 60)
    assert process.returncode == -signal.SIGKILL


def test_a_process_that_reads_nothing_is_ended(own: str, pairs: list[Pair]) -> None:
    metric = OwnProcess(f"{own}:mean_error")
    process = metric._process
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(ProcessFailed, match="it took more than 0 s for one pair"):  # more than a pipe holds
        metric.value(*(picture.read() for picture in pairs[0]), 0.1)
    assert process.returncode == -signal.SIGKILL


def test_a_name_without_a_callable_leaves_no_process(own: str) -> None:
    metric = OwnProcess(f"{own}:mean_error")
    metric._end()
    metric.name = f"{own}:number"
    with pytest.raises(ProcessFailed, match="not callable"):
        metric._start()
    assert metric._process.returncode is not None


def test_what_a_callable_prints_stays_out_of_the_output(
    own: str, pairs: list[Pair], capfd: pytest.CaptureFixture[str]
) -> None:
    assert list(named(f"{own}:speaks").baseline.distances(pairs, None, None, None)) == [0.5] * 3
    out, err = capfd.readouterr()
    assert not out
    assert "in Python" in err and "in C" in err


def test_a_module_that_exits_when_it_is_imported_is_unavailable(own: str, tmp_path: Path) -> None:
    (tmp_path / "exiting.py").write_text("import sys\nsys.exit(5)\n")
    with pytest.raises(BaselineUnavailable, match="exiting:f cannot be imported .SystemExit: 5"):
        named("exiting:f")


def test_a_slow_callable_is_not_waited_for(
    own: str, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals, "SECONDS_IN_ALL", 0.01)
    started = time.monotonic()
    with pytest.raises(BaselineUnavailable, match="it is slow: 1 of 3 pairs"):
        named(f"{own}:dawdles").baseline.distances(pairs, None, None, None)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["own_metrics:none", "no_such_module:f", "own_metrics:number"])
def test_a_name_that_leads_to_no_callable_is_refused(own: str, name: str) -> None:
    with pytest.raises(BaselineUnavailable, match="cannot be imported|not callable"):
        named(name)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownMetric, match="There is no metric named 'psnrr'. Known: psnr, ssim"):
        named("psnrr")


def test_installed_packages_can_offer_metrics(
    own: str, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    point = metadata.EntryPoint("theirs", f"{own}:mean_error", ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints([point]))
    require_known(["theirs"])
    assert named("theirs").baseline.distances(pairs, None, None, None)[0] > 0


def test_a_name_that_two_packages_offer_is_refused(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        metadata.EntryPoint("theirs", f"{own}:{name}", ENTRY_POINTS) for name in ("mean_error", "similarity")
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints(points))
    with pytest.raises(BaselineUnavailable, match="2 installed packages offer a metric 'theirs'"):
        named("theirs")


def test_every_rival_is_available_or_says_how_to_get_it() -> None:
    assert set(PACKAGES) == set(RIVALS)
    for key in ROWS:
        reason = named(key).baseline.unavailable()
        assert reason is None or any(word in reason for word in ("pip install", "PATH", "run:"))


def test_a_callable_that_writes_into_its_pictures_changes_nobody_elses(own: str, pairs: list[Pair]) -> None:
    before = [picture.read().copy() for pair in pairs for picture in pair]
    named(f"{own}:blackens").baseline.distances(pairs, None, None, None)
    after = [picture.read() for pair in pairs for picture in pair]
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_a_number_that_float32_cannot_hold_is_refused(own: str, pairs: list[Pair]) -> None:
    with pytest.raises(BaselineUnavailable, match=r"returned 1e\+300"):
        named(f"{own}:huge").baseline.distances(pairs, None, None, None)


def test_values_of_a_package_are_kept_and_those_of_a_callable_are_not(
    own: str, pairs: list[Pair], tmp_path: Path
) -> None:
    calls: list[int] = []
    baseline = rivals._as_baseline(
        "x", "X", lambda: None, lambda: lambda a, b: calls.append(1) or 1.0, "x 1", higher_is_better=False
    )
    cache = open_cache(tmp_path / "cache")
    for _ in range(2):
        baseline.distances(pairs, cache, None, None)
    assert len(calls) == len(pairs)
    assert rivals.callable_baseline(f"{own}:mean_error").distances(pairs, cache, None, None)[0] > 0

"""Trunks for the tests: from ../shared or the user's own cache, never from the network."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from metric.core.distance.lpips import LPIPS
from metric.core.distance.weights import availability, ensure
from tests.metric.core.caches import opened

SHARED = Path(__file__).resolve().parents[4] / "shared" / "weights"
CACHED = Path.home() / ".cache" / "closer" / "weights"


@pytest.fixture(scope="session", autouse=True)
def _trunks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    folders = (tmp_path_factory.mktemp("weights"), SHARED, CACHED)
    patch.setenv("CLOSER_WEIGHTS", os.pathsep.join(map(str, folders)))
    # Small tensors: sharing them out between threads costs more than it saves.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    patch.undo()


@pytest.fixture(autouse=True)
def _caches_are_closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def trunk_or_skip(net: str) -> None:
    """Skip the test where this machine has no such trunk."""
    result = availability(net)
    if not result.available:
        pytest.skip(f"the {net} trunk: {result.reason}. {result.how}")
    ensure(net)


@pytest.fixture(scope="session")
def alex(_trunks: None) -> LPIPS:
    """The stock metric on AlexNet."""
    trunk_or_skip("alex")
    return LPIPS("alex")


@pytest.fixture(scope="session")
def snapshot(_trunks: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small snapshot of images in two sizes; tests only read it."""
    from tests.kit.snapshots import make_snapshot

    return make_snapshot(tmp_path_factory.mktemp("study") / "snapshot", sizes=((64, 64), (48, 72)))


@pytest.fixture
def own_snapshot(tmp_path: Path) -> Path:
    """A snapshot that a test may damage."""
    from tests.kit.snapshots import make_snapshot

    return make_snapshot(tmp_path / "snapshot", per_split=(2, 1, 1), votes=2)

"""A picture to code, and the switch that refreshes golden results."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from codecs_zoo import registry
from codecs_zoo.contract import Pixels
from tests.kit.pictures import make_picture


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refresh-golden", action="store_true", help="write tests/golden anew from what the code does now"
    )


@pytest.fixture(scope="session")
def picture() -> Pixels:
    """192 x 256 pixels, enough for MS-SSIM."""
    return make_picture(192, 256)


@pytest.fixture(autouse=True)
def _zoo_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the codecs that a site has trained, which are rows of a database."""
    monkeypatch.setattr(registry, "_providers", [])


@pytest.fixture(scope="module")
def rows_in_this_process() -> Iterator[None]:
    """Sweeps make their rows in a thread, not in a process, whose start takes longer than a small row.

    Processes, and what becomes of them, are in tests/codecs_zoo/sweep/test_run.py and test_sweep.py.
    """

    @contextmanager
    def threads(jobs: int) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(jobs) as pool:
            yield pool

    with pytest.MonkeyPatch.context() as patch:
        for module in ("codecs_zoo.sweep.run", "codecs_zoo.downstream.predict"):
            patch.setattr(f"{module}.processes", threads)
        yield

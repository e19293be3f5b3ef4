"""A picture to code, and the switch that refreshes golden results."""

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

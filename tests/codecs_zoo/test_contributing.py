"""The codec that CONTRIBUTING.md walks through: found, registered, and held to the shared checks."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codecs_zoo import classical, registry
from codecs_zoo.contract import Codec, Pixels
from codecs_zoo.rate import encode_to_bpp
from tests.codecs_zoo import test_every_codec, test_golden

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
CHECKS = {
    name: check
    for name, check in inspect.getmembers(test_every_codec, inspect.isfunction)
    if name.startswith("test_") and set(inspect.signature(check).parameters) <= {"codec", "picture"}
}


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Codec]:
    """The page's code as a module in a folder that the zoo looks into."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "dct_zlib.py").write_text(code)
    registry.names()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classical, "__path__", [*classical.__path__, str(folder)])
        patch.setattr(registry, "_registered", dict(registry._registered))
        importlib.import_module("codecs_zoo.classical.dct_zlib")
        yield registry.get("dct-zlib")


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_passes_what_every_codec_passes(check: Callable[..., None], codec: Codec, picture: Pixels) -> None:
    given = {"codec": codec, "picture": picture}
    check(**{name: given[name] for name in inspect.signature(check).parameters})


def test_there_are_checks_to_pass() -> None:
    assert len(CHECKS) > 8


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (101, 67)])
def test_odd_sizes(codec: Codec, shape: tuple[int, int]) -> None:
    test_every_codec.test_any_size_comes_back_in_its_size(codec, shape)


def test_it_is_aimed_at_a_rate_like_any_other(codec: Codec, picture: Pixels) -> None:
    assert encode_to_bpp(codec, picture, 0.67).reached
    assert test_golden.figures(codec, picture)["points"]

"""A learned codec with other weights: a name and files of its own, and found through a provider."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from codecs_zoo import registry
from codecs_zoo.contract import Codec, CodecError
from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.learned._version import codec_version


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a codec of the zoo, with a decoder that is a little brighter."""
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    base = registry.get("factorized-prior")
    assert isinstance(base, LearnedCodec)
    with safe_open(base.weights, "pt") as opened:
        metadata = opened.metadata()
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - not a dict
    tensors["synthesis.linear.bias"] = tensors["synthesis.linear.bias"] + 0.05
    save_file(tensors, path, metadata)
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(2).integers(60, 200, (40, 56, 3)).astype(np.uint8)


def test_it_codes_with_its_own_weights(weights: Path, pixels: np.ndarray) -> None:
    version, base = codec_version("mine", "factorized-prior", weights), registry.get("factorized-prior")
    assert version.name == "mine" and version.version != base.version
    file = version.encode(pixels, quality=4)
    brighter = version.decode(file).astype(float).mean() - base.decode(base.encode(pixels, quality=4)).mean()
    assert brighter == pytest.approx(0.05 * 255, abs=4)
    with pytest.raises(CodecError, match="made with weights"):
        base.decode(file)


def test_weights_of_another_codec_are_refused(weights: Path, pixels: np.ndarray) -> None:
    version = codec_version("mine", "scale-hyperprior", weights)
    with pytest.raises(CodecError, match="contains weights of 'factorized-prior'"):
        version.encode(pixels, quality=4)


def test_a_codec_without_weights_has_no_versions(weights: Path) -> None:
    with pytest.raises(CodecError, match="no weights to replace"):
        codec_version("mine", "jpeg", weights)


@pytest.fixture
def provider(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A provider of one codec, and what it was asked for."""
    requested: list[str] = []

    def provide(name: str) -> Codec | None:
        requested.append(name)
        return codec_version(name, "factorized-prior", weights) if name == "mine" else None

    monkeypatch.setattr(registry, "_providers", [])
    registry.add_provider(provide)
    registry.add_provider(provide)
    yield requested


def test_a_provider_is_asked_for_what_no_module_has(provider: list[str]) -> None:
    assert registry.get("mine").name == "mine" and provider == ["mine"]
    assert registry.get("jpeg").name == "jpeg" and provider == ["mine"]
    assert "mine" not in registry.names()
    with pytest.raises(KeyError, match="There is no codec named 'theirs'"):
        registry.get("theirs")


def test_a_missing_file_is_unavailable(weights: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(weights, tmp_path / "gone.safetensors"))
    version = codec_version("mine", "factorized-prior", copy)
    assert version.availability().available
    copy.unlink()
    assert "weights gone.safetensors are missing" in version.availability().reason

"""A torch model that speaks compress and decompress becomes a codec of the zoo."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from codecs_zoo import registry
from codecs_zoo.contract import Codec, CodecError
from codecs_zoo.learned.adapter import register_compressai, register_torch_codec
from codecs_zoo.rate import encode_to_bpp
from tests.kit.pictures import make_picture


class Thumbnail:
    """The smallest model that speaks the two words: means of blocks, finer at a higher quality."""

    def __init__(self, quality: int) -> None:
        self.block = 64 >> quality

    def compress(self, x: torch.Tensor) -> dict[str, Any]:
        small = torch.nn.functional.avg_pool2d(x, self.block)
        return {
            "strings": [[(255 * small).round().to(torch.uint8).numpy().tobytes()]],
            "shape": small.shape[2:],
        }

    def decompress(self, strings: list[list[bytes]], shape: list[int]) -> dict[str, torch.Tensor]:
        values = np.frombuffer(strings[0][0], np.uint8).reshape(1, 3, *shape).astype(np.float32) / 255
        return {"x_hat": torch.nn.functional.interpolate(torch.from_numpy(values), scale_factor=self.block)}


@pytest.fixture
def codec() -> Iterator[Codec]:
    register_torch_codec("thumbnail", load=Thumbnail, qualities=(2, 3, 4), licence="MIT")
    yield registry.get("thumbnail")
    del registry._registered["thumbnail"]


def test_it_codes_any_size_at_a_rate(codec: Codec) -> None:
    picture = make_picture(67, 101)
    result = encode_to_bpp(codec, picture, 0.6)
    assert codec.decode(result.bitstream).shape == picture.shape
    assert codec.payload_bytes(result.bitstream) < len(result.bitstream)
    assert codec.kind == "learned"
    assert codec.version.startswith("torch ")


def test_a_higher_quality_is_closer(codec: Codec) -> None:
    picture = make_picture(64, 64)
    errors = [
        np.abs(codec.decode(codec.encode(picture, quality=quality)).astype(int) - picture).mean()
        for quality in (2, 3, 4)
    ]
    assert errors == sorted(errors, reverse=True)


def test_damage_is_an_error(codec: Codec) -> None:
    intact = codec.encode(make_picture(40, 40), quality=3)
    for damaged in (intact[:-1], intact[:9], bytes(60), intact[:20] + b"?" + intact[21:]):
        with pytest.raises(CodecError, match="damaged"):
            codec.decode(damaged)


def test_models_are_loaded_once_and_late() -> None:
    loaded: list[int] = []

    def load(quality: int) -> Thumbnail:
        loaded.append(quality)
        return Thumbnail(quality)

    register_torch_codec("counted", load=load, qualities=(2, 3), licence="MIT")
    try:
        assert loaded == []
        for _ in range(2):
            registry.get("counted").encode(make_picture(8, 8), quality=3)
        assert loaded == [3]
    finally:
        del registry._registered["counted"]


def test_gaps_and_taken_names_are_refused() -> None:
    with pytest.raises(ValueError, match="consecutive numbers"):
        register_torch_codec("gaps", load=Thumbnail, qualities=(1, 3), licence="MIT")
    with pytest.raises(ValueError, match="Two codecs have the name 'jpeg'"):
        register_torch_codec("jpeg", load=Thumbnail, qualities=(1, 2), licence="MIT")


def test_compressai_says_how_to_get_it_where_it_is_missing() -> None:
    register_compressai("bmshj2018_hyperprior")
    try:
        result = registry.get("compressai-bmshj2018-hyperprior").availability()
        assert result.available or result.how == "Install it: pip install compressai"
    finally:
        del registry._registered["compressai-bmshj2018-hyperprior"]

"""What each codec must do, whichever it is."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.contract import Codec, CodecError, Pixels
from codecs_zoo.measure import psnr
from codecs_zoo.rate import RateError, encode_to_bpp
from tests.kit.pictures import make_picture, middle


@pytest.fixture(params=[c for c in registry.codecs() if c.availability().available], ids=lambda c: c.name)
def codec(request: pytest.FixtureRequest) -> Codec:
    """Each codec that runs here in turn."""
    candidate: Codec = request.param
    return candidate


@pytest.mark.parametrize("missing", [c for c in registry.codecs() if not c.availability().available])
def test_a_codec_that_cannot_run_says_why_and_what_to_do(missing: Codec) -> None:
    result = missing.availability()
    assert result.reason.endswith(".")
    assert result.how
    with pytest.raises(CodecError, match="is not available"):
        missing.encode(make_picture(8, 8), **middle(missing))
    with pytest.raises(CodecError, match="is not available"):
        missing.decode(bytes(100))


@cache
def bitstream_of_the_picture(codec: Codec) -> bytes:
    """`picture` at `middle`, encoded once: some encoders take seconds, and they repeat themselves (see below)."""
    return codec.encode(make_picture(192, 256), **middle(codec))


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (101, 67), (400, 16)], ids=lambda s: f"{s[1]}x{s[0]}")
def test_any_size_comes_back_in_its_size(codec: Codec, shape: tuple[int, int]) -> None:
    decoded = codec.decode(codec.encode(make_picture(*shape), **middle(codec)))
    assert decoded.shape == (*shape, 3)
    assert decoded.dtype == np.uint8


def test_flat_grey_and_noise_are_pictures_too(codec: Codec) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 80, 3), dtype=np.uint8)
    for pixels in (np.full_like(noise, 128), np.repeat(noise[..., :1], 3, axis=2), noise):
        assert codec.decode(codec.encode(pixels, **middle(codec))).shape == pixels.shape


def test_pixels_that_are_a_view_code_like_their_copy(codec: Codec, picture: Pixels) -> None:
    view = picture[::2, ::-1]
    assert codec.encode(view, **middle(codec)) == codec.encode(view.copy(), **middle(codec))


def test_the_picture_is_still_recognisable(codec: Codec, picture: Pixels) -> None:
    assert psnr(picture, codec.decode(bitstream_of_the_picture(codec))) > 22


def test_same_bytes_every_time_and_in_four_threads(codec: Codec, picture: Pixels) -> None:
    first = bitstream_of_the_picture(codec)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: codec.encode(picture, **middle(codec)), range(4)))
    assert again == [first] * 4


def test_same_pixels_from_every_decode(codec: Codec) -> None:
    bitstream = bitstream_of_the_picture(codec)
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(codec.decode, [bitstream] * 4)
    assert all(np.array_equal(first, other) for other in others)


def test_bpp_and_quality_follow_the_knob(codec: Codec, picture: Pixels) -> None:
    knobs = [codec.knob.on_grid(point[0]) for point in codec.rate_curve]
    knobs = [knobs[round(i * (len(knobs) - 1) / 4)] for i in range(5)]
    bitstreams = [codec.encode(picture, **{codec.knob.name: knob}) for knob in knobs]
    if not codec.knob.rises:
        bitstreams.reverse()
    sizes = [len(bitstream) for bitstream in bitstreams]
    qualities = [psnr(picture, codec.decode(bitstream)) for bitstream in bitstreams]
    assert sizes == sorted(sizes)
    assert qualities == sorted(qualities)
    assert sizes[-1] > 4 * sizes[0]


def test_the_payload_is_most_of_the_file(codec: Codec) -> None:
    bitstream = bitstream_of_the_picture(codec)
    assert len(bitstream) - 1200 < codec.payload_bytes(bitstream) <= len(bitstream)


def test_an_operating_point_survives_json(codec: Codec, picture: Pixels) -> None:
    settings = middle(codec)
    stored = json.loads(json.dumps(settings))
    assert codec.encode(picture, **stored) == bitstream_of_the_picture(codec)
    assert codec.complete_settings(stored) == settings


def test_damaged_bitstreams_give_pixels_or_an_error(codec: Codec) -> None:
    intact = codec.encode(make_picture(48, 40), **middle(codec))
    rng = np.random.default_rng(7)
    for _ in range(15):
        damaged = bytearray(intact)
        for position in rng.integers(0, len(damaged), size=rng.integers(1, 6)):
            damaged[position] = rng.integers(256)
        try:
            assert codec.decode(bytes(damaged)).ndim == 3
        except CodecError as error:
            assert "damaged" in str(error)


@pytest.mark.parametrize("kept", [0, 1, 4, 11, 40])
def test_a_torn_off_head_is_an_error(codec: Codec, kept: int) -> None:
    with pytest.raises(CodecError, match="encode the picture again"):
        codec.decode(bitstream_of_the_picture(codec)[:kept])


def test_garbage_is_an_error(codec: Codec) -> None:
    for junk in (bytes(500), b"\x89PNG\r\n\x1a\n" + bytes(500), np.random.default_rng(1).bytes(2000)):
        with pytest.raises(CodecError):
            codec.decode(junk)
        with pytest.raises(CodecError):
            codec.payload_bytes(junk)


def test_settings_out_of_place_are_errors(codec: Codec, picture: Pixels) -> None:
    knob = codec.knob
    for wrong in (
        {},
        {knob.name: knob.high * 1.01 + 1},
        {knob.name: math.nan},
        {knob.name: "high"},
        {knob.name: True},
    ):
        with pytest.raises(CodecError, match=knob.name):
            codec.encode(picture, **wrong)  # type: ignore[arg-type]
    with pytest.raises(CodecError, match=f"it has {knob.name}"):
        codec.encode(picture, brightness=3, **{knob.name: knob.low})


def test_other_pixels_than_uint8_rgb_are_errors(codec: Codec) -> None:
    for wrong in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(CodecError, match="HxWx3"):
            codec.encode(wrong, **middle(codec))  # type: ignore[arg-type]


def test_it_says_who_made_it_and_under_which_licence(codec: Codec) -> None:
    assert codec.licence
    for library, version in codec.libraries().items():
        assert library in codec.version
        assert version[0].isdigit()


def test_a_rate_out_of_reach_is_refused(codec: Codec, picture: Pixels) -> None:
    ends = {codec.rate_curve[0][0], codec.rate_curve[-1][0]}
    assert ends == {codec.knob.low, codec.knob.high}, "aiming has to reach both ends of the knob"
    with pytest.raises(RateError, match=r"so it cannot reach 30 bpp\. Choose a lower target"):
        encode_to_bpp(codec, picture, 30)

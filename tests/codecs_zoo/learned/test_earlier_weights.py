"""Files made with the weights that a codec had before stay readable; nothing is made with them any more."""

import hashlib
from pathlib import Path

import pytest

from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.learned._codec import HEAD, WEIGHTS, LearnedCodec
from codecs_zoo.learned.checkerboard import CheckerboardCodec
from tests.codecs_zoo.conftest import make_picture

OLD = Path(__file__).parents[2] / "golden" / "bitstreams" / "checkerboard-1.bin"
"""make_picture(72, 104, 7) at quality 3.5, by the release that had these weights."""
PIXELS = "628bf8de79d56f73373472c58bd8a729e3abfa58f4edd76b714ef420d0ae1faf"


@pytest.fixture
def checkerboard() -> LearnedCodec:
    result = registry.get("checkerboard")
    assert isinstance(result, LearnedCodec)
    return result


def test_a_file_by_the_first_weights_gives_the_pixels_that_it_gave(checkerboard: LearnedCodec) -> None:
    x_hat = checkerboard.decode(OLD.read_bytes())
    assert hashlib.sha256(x_hat.tobytes()).hexdigest() == PIXELS
    assert checkerboard.payload_bytes(OLD.read_bytes()) == OLD.stat().st_size - HEAD.size


def test_new_files_are_made_with_the_new_weights(checkerboard: LearnedCodec) -> None:
    file = checkerboard.encode(make_picture(72, 104, 7), quality=3.5)
    assert file[4:8] != OLD.read_bytes()[4:8]
    assert file[4:8].hex() in checkerboard.version


def test_without_the_first_weights_it_says_which_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckerboardCodec, "earlier", ())
    with pytest.raises(CodecError, match="it was made with weights 8b00027a"):
        CheckerboardCodec().decode(OLD.read_bytes())


def test_every_file_of_weights_belongs_to_a_codec() -> None:
    learned = [codec for codec in registry.codecs() if isinstance(codec, LearnedCodec)]
    used = {WEIGHTS / f"{stem}.safetensors" for codec in learned for stem in codec.earlier}
    used |= {codec.weights for codec in registry.codecs() if hasattr(codec, "weights")}
    assert set(WEIGHTS.glob("*.safetensors")) <= used

"""`pyramid`: the codec as the zoo knows it. Its networks are described in the package's files.

Weights are in `weights/pyramid.safetensors`; `weights/pyramid.md` tells how they were trained.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.extras import package_versions
from codecs_zoo.learned._file import checked_size
from codecs_zoo.learned.pyramid.bitstream import Bitstream
from codecs_zoo.registry import register
from imaging.plots.looks import Look

if TYPE_CHECKING:
    from codecs_zoo.learned.pyramid.networks import Networks

WEIGHTS = Path(__file__).parent.parent / "weights" / "pyramid.safetensors"
SMALLEST_SIDE = 256
SECONDS = (6, 170, 340, 1100, 3300)
"""For a megapixel on one core, by effort."""


@register
class PyramidCodec(Codec):
    """The knob is the rate itself: levels and, in a search, lambda are steered to it."""

    name = "pyramid"
    kind = "learned"
    licence = "Apache-2.0"
    look = Look(7, "wedge")
    knob = Knob("bpp", 0.02, 2.5, step=0.0001, rises=True)
    options: ClassVar = {"effort": (0, 1, 2, 3, 4)}
    seconds_per_megapixel = SECONDS[0]
    rate_curve = tuple((each, each) for each in (round(0.02 * 125 ** (i / 32), 4) for i in range(33)))
    weights = WEIGHTS

    def __init__(self) -> None:
        self._lock = Lock()

    def availability(self) -> Availability:
        if missing := [name for name in ("torch", "constriction") if find_spec(name) is None]:
            names = " and ".join(missing)
            return Availability(
                False, f"The package {names} is not installed.", f"Install it: pip install {names}"
            )
        if not self.weights.exists():
            return Availability(
                False, f"Its weights {self.weights.name} are missing.", "Install closer again."
            )
        return Availability(True)

    def libraries(self) -> dict[str, str]:
        return {"weights": f"1.{self._weights_id.hex()}", **package_versions("torch", "constriction")}

    def seconds_at(self, settings: Settings) -> float:
        return SECONDS[int(settings["effort"])]

    def advice(self, pixels: Pixels) -> str:
        height, width = pixels.shape[:2]
        if min(height, width) >= SMALLEST_SIDE:
            return ""
        return (
            f"pyramid is designed for photographs of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels; "
            f"{width} x {height} is padded to multiples of 64, which costs extra bits. Use another codec "
            f"for small pictures."
        )

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        height, width = checked_size(pixels)
        from codecs_zoo.learned.networks.pictures import one_thread
        from codecs_zoo.learned.pyramid.encoder import Encoder

        with one_thread():
            encoder = Encoder(self._networks, pixels, float(settings[self.knob.name]))
            index, body, correction = encoder.encode(int(settings["effort"]))
        return Bitstream(height, width, index, body, correction).pack(self._weights_id)

    def _decode(self, bitstream: bytes) -> Pixels:
        parsed = Bitstream.unpack(bitstream, self._weights_id)
        from codecs_zoo.learned.networks.pictures import one_thread

        with one_thread():
            return self._networks.read(parsed)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The coded latents, without the head of 15 bytes and the correction."""
        return len(Bitstream.unpack(bitstream, self._weights_id).body)

    @cached_property
    def _weights_id(self) -> bytes:
        if not self.weights.exists():
            raise CodecError(f"{self.weights} is missing. Install closer again.")
        return hashlib.sha256(self.weights.read_bytes()).digest()[:4]

    @property
    def _networks(self) -> Networks:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Networks:
        from codecs_zoo.learned.pyramid.networks import Networks

        return Networks(self.weights)

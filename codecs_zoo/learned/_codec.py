"""What the learned codecs share beside their networks: the file, the weights, pixels to tensors and back.

The file, big-endian:

offset  bytes  what
0       4      CRC-32 of all that follows
4       4      the first bytes of the weights' sha256: they say which of a codec's weights read the file
8       2, 2   width and height less one
12      2      quality, in steps of 1/50 from 1
14      4      length of the first part; the second is the rest
18             the latents' part, then the hyper-latents' where the codec has them

Pixels are computed in float64 and then rounded to 8 bits: the sums of another thread count or machine differ
in their last bits only, a ten-millionth of what could move a pixel in one picture of a thousand.
"""

from __future__ import annotations

import hashlib
import struct
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from codecs_zoo.contract import (
    Aimed,
    Availability,
    Codec,
    CodecError,
    Floats,
    Knob,
    Pixels,
    Setting,
    Settings,
)  # fmt: skip
from codecs_zoo.extras import package_versions
from codecs_zoo.learned import _search
from codecs_zoo.learned._file import CRC_BYTES, MAX_PIXELS, checked_size, is_whole, sealed
from codecs_zoo.site_metrics import PERCEPTUAL

if TYPE_CHECKING:
    from codecs_zoo.learned.networks.model import LearnedModel
    from codecs_zoo.learned.networks.shape import Shape

WEIGHTS = Path(__file__).parent / "weights"
HEAD = struct.Struct(">I4sHHHI")


class LearnedCodec(Codec):
    """A codec made of trained networks. Subclasses say its name, rate curve and number of parts, and build them."""

    kind = "learned"
    licence = "Apache-2.0"
    knob = Knob("quality", 1, 8, step=0.02, rises=True)
    options = _search.OPTIONS
    head_bytes = HEAD.size
    parts: ClassVar[int]
    earlier: ClassVar[tuple[str, ...]] = ()
    """Stems of the weights that it had before: files made with them stay readable."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._models: dict[bytes, LearnedModel] = {}
        self._to_search: LearnedModel | None = None

    @abstractmethod
    def build(self, shape: Shape | None = None) -> LearnedModel:
        """The networks, untrained. torch and what needs it are imported in here, not with the module."""

    @property
    def network(self) -> str:
        """Whose networks these are: another codec's name where only the weights differ."""
        return self.name

    @property
    def weights(self) -> Path:
        """The file of weights."""
        return WEIGHTS / f"{self.name}.safetensors"

    def availability(self) -> Availability:
        if missing := [name for name in ("torch", "constriction", "safetensors") if find_spec(name) is None]:
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

    def libraries_at(self, settings: Settings) -> dict[str, str]:
        """With the revision of the search where there is one."""
        return {**self.libraries(), **_search.revision(settings)}

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        size = checked_size(pixels)
        if settings["effort"]:
            return _search.encode(self, pixels, settings)
        from codecs_zoo.learned.networks.pictures import one_thread, to_tensor
        from codecs_zoo.learned.networks.shape import quality_index

        quality = float(settings[self.knob.name])
        with one_thread():
            strings = self._model(self._weights_id).compress(to_tensor(pixels), quality)["strings"]
        return self.file_of([string for (string,) in strings], quality_index(quality), size)

    def file_of(self, parts: list[bytes], index: int, size: tuple[int, int]) -> bytes:
        """The file of a picture of `size` (height, width) coded in `parts` at a quality index."""
        head = HEAD.pack(0, self._weights_id, size[1] - 1, size[0] - 1, index, len(parts[0]))
        return sealed(head[CRC_BYTES:] + b"".join(parts))

    def search_models(self) -> tuple[LearnedModel, LearnedModel]:
        """The networks that code, and a copy of them to search with."""
        from codecs_zoo.learned.networks.searching import for_search

        model = self._model(self._weights_id)
        with self._lock:
            if self._to_search is None:
                self._to_search = for_search(model, self.build)
            return model, self._to_search

    def aim(self, pixels: Pixels, target_bpp: float, settings: Settings, tolerance: float) -> Aimed | None:
        if not settings["effort"]:
            return None
        return _search.aim(self, pixels, target_bpp, settings, tolerance)

    def check_ready(self, settings: Settings) -> None:
        super().check_ready(settings)
        _search.check_ready(settings)

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return _search.figures_tuned_on(settings)

    def seconds_at(self, settings: Settings) -> float:
        return self.seconds_per_megapixel + _search.seconds_of_search(settings)

    def complete_settings(self, settings: Mapping[str, Setting]) -> Settings:
        """As any codec's; `tune` may be a metric version too, by folder or by name."""
        tune = settings.get("tune", "mse")
        _search.check_tune(tune)
        known = {**settings, "tune": PERCEPTUAL} if _search.is_metric_version(tune) else settings
        complete = {**super().complete_settings(known), "tune": tune}
        _search.check_options(complete)
        return complete

    def _decode(self, bitstream: bytes) -> Pixels:
        weights_id, width, height, index, first = self._read_head(bitstream)
        from codecs_zoo.learned.networks.pictures import grid, one_thread, to_pixels
        from codecs_zoo.learned.networks.shape import index_to_quality

        body = bitstream[HEAD.size :]
        parts = [body[:first], body[first:]][: self.parts]
        with one_thread():
            model = self._model(weights_id)
            decoded = model.decompress(
                [[part] for part in parts], grid(height, width), index_to_quality(index)
            )
        return to_pixels(decoded["x_hat"], height, width)

    def bits_map(self, bitstream: bytes) -> Floats | None:
        weights_id, width, height, index, first = self._read_head(bitstream)
        from codecs_zoo.learned.networks.pictures import grid, one_thread
        from codecs_zoo.learned.networks.shape import PATCH

        body = bitstream[HEAD.size :]
        parts = [body[:first], body[first:]][: self.parts]
        with one_thread():
            cells = self._model(weights_id).cell_bits(parts, *grid(height, width), index).numpy() / PATCH**2
        return np.asarray(cells.repeat(PATCH, 0).repeat(PATCH, 1)[:height, :width])

    def payload_bytes(self, bitstream: bytes) -> int:
        """Both coded parts, without the head of 18 bytes."""
        self._read_head(bitstream)
        return len(bitstream) - HEAD.size

    def _read_head(self, bitstream: bytes) -> tuple[bytes, int, int, int, int]:
        """Id of the weights, width, height, quality index, length of the first part.

        Raises CodecError for a damaged file, or one by weights that are not here.
        """
        if len(bitstream) < HEAD.size:
            raise CodecError(
                f"{len(bitstream)} bytes are too few for a {self.name} file; encode the picture again."
            )
        _, weights_id, width, height, index, first = HEAD.unpack_from(bitstream)
        if not is_whole(bitstream):
            raise CodecError("the checksum does not match; encode the picture again.")
        if weights_id != self._weights_id and weights_id not in self._weights_by_id:
            raise CodecError(
                f"it was made with weights {weights_id.hex()}, these are {self._weights_id.hex()}"
            )
        width, height, rest = width + 1, height + 1, len(bitstream) - HEAD.size - first
        if width * height > MAX_PIXELS or rest < 0 or (self.parts == 1 and rest) or first % 4 or rest % 4:
            raise CodecError(
                f"its header is inconsistent: {width} x {height} pixels, parts of {first} and {rest} bytes"
            )
        if index > (self.knob.high - self.knob.low) / self.knob.step + 0.5:
            raise CodecError(f"its quality {index} is out of range")
        return weights_id, width, height, index, first

    @cached_property
    def _weights_id(self) -> bytes:
        return _weights_hash(self.weights)

    @cached_property
    def _weights_by_id(self) -> dict[bytes, Path]:
        earlier = [WEIGHTS / f"{stem}.safetensors" for stem in self.earlier]
        return {_weights_hash(path): path for path in (*earlier, self.weights)}

    def _model(self, weights_id: bytes) -> LearnedModel:
        """The networks with these weights, loaded once."""
        with self._lock:
            if weights_id not in self._models:
                from codecs_zoo.learned.networks.weights import load_weights

                path = self.weights if weights_id == self._weights_id else self._weights_by_id[weights_id]
                self._models[weights_id] = load_weights(self.network, path, self.build)
            return self._models[weights_id]


def _weights_hash(weights: Path) -> bytes:
    """The first bytes of a file's sha256. Raises CodecError if it is missing."""
    if not weights.exists():
        raise CodecError(f"{weights} is missing. Install closer again.")
    return hashlib.sha256(weights.read_bytes()).digest()[:4]

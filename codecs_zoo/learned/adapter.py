"""Codecs made of other people's torch models: anything that speaks `compress` and `decompress`.

    from codecs_zoo.learned.adapter import register_compressai, register_torch_codec

    register_compressai("bmshj2018_hyperprior")              # where CompressAI is installed
    register_torch_codec("my-codec", load=load_my_model, qualities=(1, 2, 3), licence="MIT", package="my_codec")

Such a model has `compress(x) -> {"strings": [[bytes], ...], "shape": ...}` and
`decompress(strings, shape) -> {"x_hat": x}` for x of shape 1 x 3 x H x W in 0..1, and usually one set of
weights for each quality. Whether it decodes exactly on another machine is its own affair; what we add is
padding, a file with a checksum, and the contract of the zoo.
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from threading import Lock
from typing import Any, ClassVar

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.learned._file import CRC_BYTES, MAX_PIXELS, checked_size, is_whole, sealed
from codecs_zoo.registry import register

HEAD = struct.Struct(">IHHBBB")
"""CRC-32 of the rest; width and height less one; quality; numbers in `shape`; strings."""

LoadModel = Callable[[int], Any]
Curve = tuple[tuple[float, float], ...]


class TorchCodec(Codec):
    """A codec around the models that `load` returns. Made by `register_torch_codec`."""

    kind = "learned"
    package: ClassVar[str]
    multiple: ClassVar[int]

    def __init__(self) -> None:
        self._lock = Lock()

    def availability(self) -> Availability:
        if find_spec(self.package) is None:
            how = f"Install it: pip install {self.package}"
            return Availability(False, f"The package {self.package} is not installed.", how)
        return Availability(True)

    def libraries(self) -> dict[str, str]:
        try:
            return {self.package: version(self.package), "torch": version("torch")}
        except PackageNotFoundError:
            return {"torch": version("torch")}

    @abstractmethod
    def load(self, quality: int) -> Any:
        """The model of a quality, ready to code."""

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        height, width = checked_size(pixels)
        from torch import inference_mode

        from codecs_zoo.learned.networks.pictures import to_tensor

        quality = int(settings[self.knob.name])
        with self._lock, inference_mode():
            compressed = self.load(quality).compress(to_tensor(pixels, self.multiple).float())
        strings, shape = [bytes(string) for (string,) in compressed["strings"]], list(compressed["shape"])
        head = HEAD.pack(0, width - 1, height - 1, quality, len(shape), len(strings))[CRC_BYTES:]
        sizes = struct.pack(f">{len(shape)}H{len(strings)}I", *shape, *map(len, strings))
        return sealed(head + sizes + b"".join(strings))

    def _decode(self, bitstream: bytes) -> Pixels:
        width, height, quality, shape, strings = self._unpack(bitstream)
        from torch import inference_mode

        from codecs_zoo.learned.networks.pictures import to_pixels

        with self._lock, inference_mode():
            x_hat = self.load(quality).decompress([[string] for string in strings], shape)["x_hat"]
        return to_pixels(x_hat.clamp(0, 1).cpu(), height, width)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The model's strings, without our head and their lengths."""
        return sum(map(len, self._unpack(bitstream)[-1]))

    def _unpack(self, bitstream: bytes) -> tuple[int, int, int, list[int], list[bytes]]:
        if len(bitstream) < HEAD.size or not is_whole(bitstream):
            raise CodecError(
                "the file is truncated or its checksum does not match; encode the picture again."
            )
        _, width, height, quality, numbers, parts = HEAD.unpack_from(bitstream)
        sizes = struct.Struct(f">{numbers}H{parts}I")
        shape_and_sizes = sizes.unpack_from(bitstream, HEAD.size)
        if (width + 1) * (height + 1) > MAX_PIXELS or not self.knob.low <= quality <= self.knob.high:
            raise CodecError(f"its header claims {width + 1} x {height + 1} pixels at quality {quality}")
        strings, start = [], HEAD.size + sizes.size
        for size in shape_and_sizes[numbers:]:
            strings.append(bitstream[start : start + size])
            start += size
        if start != len(bitstream):
            raise CodecError(f"its strings should end at byte {start}, the file has {len(bitstream)}")
        return width + 1, height + 1, quality, list(shape_and_sizes[:numbers]), strings


def register_torch_codec(
    name: str,
    *,
    load: LoadModel,
    qualities: Sequence[int],
    licence: str,
    package: str = "torch",
    rate_curve: Curve | None = None,
    multiple: int = 64,
) -> type[TorchCodec]:
    """Make a codec called `name` of the models that `load(quality)` returns, each loaded once, at first use.

    `qualities` are neighbouring whole numbers, from the smallest rate up, all of 0..255. `package` must be
    installed for the codec to be available. `rate_curve` is (quality, bpp) on a typical photograph; sides are
    padded to `multiple`. Raises ValueError if the name is taken or the qualities have gaps.
    """
    low, high = qualities[0], qualities[-1]
    if list(qualities) != list(range(low, high + 1)) or not 0 <= low <= high <= 255:
        raise ValueError(f"qualities are {list(qualities)}; use consecutive numbers, such as 1, 2, 3.")
    loaded = cache(load)
    members = {
        "__module__": __name__,
        "__doc__": f"{name}, registered through the adapter.",
        "name": name,
        "licence": licence,
        "package": package,
        "multiple": multiple,
        "knob": Knob("quality", low, high, step=1, rises=True),
        "rate_curve": rate_curve or tuple((quality, 0.1 * 1.45 ** (quality - low)) for quality in qualities),
        "load": lambda self, quality: loaded(quality),
    }
    return register(type("RegisteredTorchCodec", (TorchCodec,), members))


def register_compressai(architecture: str, *, metric: str = "mse", name: str = "") -> type[TorchCodec]:
    """Make a codec of one of CompressAI's pretrained models, such as "bmshj2018_hyperprior" or "cheng2020_anchor".

    It is called "compressai-ARCHITECTURE" unless `name` says otherwise. CompressAI fetches the weights when a
    quality is first used.
    """

    def load(quality: int) -> Any:
        model = getattr(import_module("compressai.zoo"), architecture)(
            quality, metric=metric, pretrained=True
        )
        model.eval().update()
        return model

    return register_torch_codec(
        name or f"compressai-{architecture.replace('_', '-')}",
        load=load,
        qualities=range(1, 7 if architecture.startswith("cheng2020") else 9),
        licence="BSD-3-Clause-Clear",
        package="compressai",
    )

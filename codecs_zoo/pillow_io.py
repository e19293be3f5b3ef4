"""The few lines that every codec made by Pillow shares."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageFile, features
from PIL import __version__ as pillow_version

from codecs_zoo.contract import Availability, CodecError, Pixels, check_decoded_size


def encode_with_pillow(pixels: Pixels, format: str, **options: Any) -> bytes:
    """The file that Pillow writes for uint8 HxWx3 `pixels`, without any metadata."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def decode_with_pillow(bitstream: bytes, plugin: type[ImageFile.ImageFile]) -> Pixels:
    """uint8 HxWx3 pixels. Only `plugin` may read the file, and its size is checked before it is decoded."""
    with plugin(io.BytesIO(bitstream)) as opened:
        check_decoded_size(*opened.size)
        if opened.mode != "RGB":
            raise CodecError(f"it contains a {opened.mode} picture, not RGB")
        return np.array(opened)


def pillow_libraries(feature: str, library: str) -> dict[str, str]:
    """Version of the library behind a Pillow feature, and Pillow's own."""
    return {library: features.version(feature) or "unknown", "pillow": pillow_version}


def pillow_availability(feature: str) -> Availability:
    """Whether this Pillow was built with `feature`."""
    if features.check(feature):
        return Availability(True)
    return Availability(
        False,
        f"This Pillow ({pillow_version}) was built without {feature}.",
        "Install the wheel from PyPI: pip install --only-binary :all: --force-reinstall pillow",
    )

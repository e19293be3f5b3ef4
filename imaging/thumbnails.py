"""Small copies of pictures for lists: a piece from the middle at its own scale, or the whole picture made smaller.

They are lossy, and only say which picture it is; whoever judges sees the lossless file.
"""

from __future__ import annotations

import io

from PIL import Image

QUALITY = 82
SIDE = 160
"""Of a square piece, in pixels."""
LONGEST = 320
"""The longer side of a smaller copy."""
KINDS = ("crop", "small")


def thumbnail(content: bytes, kind: str) -> bytes:
    """The bytes of a WebP file, of a kind from KINDS. Raises ValueError for another kind, OSError for no picture."""
    if kind not in KINDS:
        raise ValueError(f"a thumbnail is one of {', '.join(KINDS)}, not {kind!r}")
    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    if kind == "crop":
        width, height = min(SIDE, picture.width), min(SIDE, picture.height)
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        picture = picture.crop((left, top, left + width, top + height))
    else:
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=QUALITY, method=4)
    return written.getvalue()

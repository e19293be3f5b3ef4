"""Where people look first in a photograph: a map that weighs errors in an encoder. It is never part of a file.

python -m codecs_zoo saliency photograph.png map.png --kind combined

`contrast` needs no weights; `faces`, `text` and `objects` need an ONNX model each, `combined` all of them.
"""

from __future__ import annotations

from codecs_zoo.saliency.maps import KINDS, availability, saliency_map, saliency_weights

__all__ = ["KINDS", "availability", "saliency_map", "saliency_weights"]

"""The `lpips` package, imported for tests even where torchvision's own operators are not there.

torch's CPU build has no matching torchvision. The pure-Python part of torchvision works all the same, but its
import asks for two operators that the missing library would declare: declaring their schemas is enough.
"""

import functools
import warnings
from types import ModuleType

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# A Library takes its schemas along when it is collected, so it must live as long as the process.
_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


@functools.cache
def import_lpips() -> ModuleType:
    """Return the imported `lpips` package; where torchvision loads as it is, nothing is declared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torchvision  # noqa: F401
        except RuntimeError as error:
            if "torchvision::nms" not in str(error):
                raise
            for schema in _SCHEMAS:
                _LIBRARY.define(schema)
        import lpips
    return lpips

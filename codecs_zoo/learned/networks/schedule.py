"""The course of learning rates and of searches."""

import math


def cosine_fall(share: float) -> float:
    """From 1 to 0 as half a cosine, where `share` of the way is done; 0 beyond its end."""
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

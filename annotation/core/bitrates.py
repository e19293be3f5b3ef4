"""How bitrates and levels are written: one way on every page."""

from collections.abc import Collection


def rate_in_words(bpp: float) -> str:
    """A bitrate or level with two decimals, or as many more as it has: 1.00, 0.23, 0.125."""
    return f"{bpp:.2f}" if round(bpp, 2) == round(bpp, 6) else f"{bpp:g}"


def level_in_words(level: float, bitrates: Collection[float]) -> str:
    """A level as read after "at": "0.23 bpp" if it is one of a study's target `bitrates`, else "level 30".

    Only the levels of built-in codecs have a unit; those of own pictures may be qualities or QPs.
    """
    return f"{rate_in_words(level)} bpp" if round(level, 4) in bitrates else f"level {level:g}"

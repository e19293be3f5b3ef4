"""How a bitrate is written: one way on every page."""


def rate_in_words(bpp: float) -> str:
    """A bitrate or level with two decimals, or as many more as it has: 1.00, 0.23, 0.125."""
    return f"{bpp:.2f}" if round(bpp, 2) == round(bpp, 6) else f"{bpp:g}"

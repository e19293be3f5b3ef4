"""The colours of looks in files that stand alone, on white: those of the pages' light style sheets."""

INK = "#1c1d1f"
COLOURS = {
    "codec-1": "#0072b2", "codec-2": "#e69f00", "codec-3": "#009e73", "codec-4": "#cc79a7",
    "codec-5": "#56b4e9", "codec-6": "#d55e00", "codec-7": "#8c8c8c",
    "muted": "#63666b", "chart-name": INK, "chart-accent": "#0b6e6a", "chart-bar": "#0b6e6a",
    "chart-more": "#0b6e6a", "chart-less": "#d9a441",
}  # fmt: skip
PAPER = "#ffffff"


def colour(look: str) -> str:
    """The colour of a look; ink where it has none."""
    return COLOURS.get(look, INK)

"""How a duration is written: one way on every page."""


def duration_in_words(seconds: float) -> str:
    """A duration, roughly: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

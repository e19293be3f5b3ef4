"""p values as they are printed, in tables and in sentences."""

from __future__ import annotations


def p_in_words(value: float) -> str:
    """The p of a test: .023, or < .001; none is printed as 0."""
    return "< .001" if value < 0.001 else f"{value:.3f}".replace("0.", ".", 1)


def p_with_sign(value: float) -> str:
    """The same in a sentence: p = .023, or p < .001."""
    words = p_in_words(value)
    return f"p {words}" if words.startswith("<") else f"p = {words}"

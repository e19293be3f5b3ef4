"""How shares and probabilities are written: one way in every sentence and on every page."""


def percentage(value: float) -> str:
    """A probability in words, one that rounds to 0 or 100 as a limit: 81 %, over 99 %, under 1 %."""
    return "over 99 %" if value > 0.99 else "under 1 %" if value < 0.01 else percent_in_words(value)


def percent_in_words(share: float, places: int = 0) -> str:
    """A share of 1 as per cent: 28 %."""
    return f"{share:.{places}%}".replace("%", " %")

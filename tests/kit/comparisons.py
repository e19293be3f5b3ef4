"""Comparisons put together from parts, for tests and benchmarks."""

import numpy as np

from psychometrics.comparisons import Comparisons, Ints


def together(parts: list[Comparisons]) -> Comparisons:
    """The rows of several comparisons of the same names, annotators and sources."""

    def column(name: str) -> Ints:
        return np.concatenate([getattr(part, name) for part in parts])

    counts = np.concatenate([part.counts for part in parts])
    labels = (column("annotator"), column("source"))
    return Comparisons(parts[0].names, column("first"), column("second"), counts, *labels)

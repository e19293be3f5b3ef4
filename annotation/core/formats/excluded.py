"""Rows of a file that could not be used: the reason, their number, and the first few examples."""

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 3


@dataclass
class Excluded:
    """Counts by reason, with up to EXAMPLES things each that a person can look for in the file."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, example: str = "", rows: int = 1) -> None:
        """Count `rows` rows under `reason`."""
        self.counts[reason] += rows
        shown = self.examples.setdefault(reason, [])
        if example and example not in shown and len(shown) < EXAMPLES:
            shown.append(example)

    @property
    def rows(self) -> int:
        """All rows that could not be used."""
        return self.counts.total()

    def lines(self) -> list[str]:
        """A line for each reason, the commonest first: "<reason> (<rows> rows): <examples>"."""
        return [
            f"{reason} ({count} row{'s' * (count != 1)})" + self._named(reason)
            for reason, count in self.counts.most_common()
        ]

    def _named(self, reason: str) -> str:
        shown = self.examples[reason]
        return f": {'; '.join(shown)}" if shown else ""

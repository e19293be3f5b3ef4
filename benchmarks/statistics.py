"""What the statistics promise against what they keep, by simulation: `python -m benchmarks.statistics`.

Prints, for each design of a grid, how often the 95 % intervals of differences cover the truth, their width against the
needed one (1.96 standard deviations of what the estimates really scatter), bias, power and how often all rank intervals
hold together; then the interval of a ratio over few photographs, and the two-way bootstrap beside the covariance. One
core, about a quarter of an hour; `--repeats 100` for a look.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks._active_sampling import actively_sampled
from psychometrics.bootstrap import bootstrap_errors
from psychometrics.comparisons import Comparisons, Floats, aggregated, pair_indices
from psychometrics.differences import differences, rank_intervals
from psychometrics.estimates import ratio
from psychometrics.scaling import fit
from psychometrics.simulation import Truth, answer, balanced
from psychometrics.uncertainty import uncertainty

CODECS = 6
STRENGTHS = np.array([1.0, 0.6, 0.4, 0.0, -0.8, -1.2])
VOTES = 5
SIZES = ((10, 10), (20, 20), (40, 40), (40, 10), (10, 40), (300, 12))
SPREADS = ((0.0, 0.0), (0.2, 0.2), (0.4, 0.4), (0.0, 0.4), (0.4, 0.0))
KINDS = ("balanced", "ties", "active")


@dataclass(frozen=True)
class Case:
    """One design: how many people judge how many photographs, how much they differ, and how pairs are chosen."""

    annotators: int
    sources: int
    of_people: float
    of_sources: float
    kind: str

    @property
    def truth(self) -> Truth:
        """The made-up world."""
        return Truth(STRENGTHS, self.of_people, self.of_sources, -0.5 if self.kind == "ties" else None)

    def study(self, draw: np.random.Generator) -> Comparisons:
        """One made-up study: five votes for every pair of every photograph, or as many where they seem to tell most."""
        pairs = CODECS * (CODECS - 1) // 2
        if self.kind == "active":
            judgments = self.sources * pairs * VOTES
            sizes = {"sources": self.sources, "annotators": self.annotators, "judgments": judgments}
            return aggregated(actively_sampled(self.truth, draw=draw, **sizes))
        design = balanced(CODECS, sources=self.sources, annotators=self.annotators, votes=VOTES, draw=draw)
        return aggregated(answer(self.truth, design, draw))


def grid() -> Iterator[Case]:
    """All designs."""
    for kind in KINDS:
        for annotators, sources in SIZES:
            for of_people, of_sources in SPREADS:
                yield Case(annotators, sources, of_people, of_sources, kind)


BESIDE_BOOTSTRAP = (
    Case(10, 10, 0.0, 0.0, "balanced"),
    Case(20, 20, 0.4, 0.4, "balanced"),
    Case(20, 20, 0.2, 0.2, "ties"),
)


@dataclass(frozen=True)
class Coverage:
    """How the intervals of a design cover: shares of 1, but `width`, a ratio, and `bias`, JND."""

    coverage: float
    worst: float
    width: float
    widest: float
    bias: float
    power: float
    ranks: float


def simulate(case: Case, repeats: int, seed: int) -> Coverage:
    """Make up so many studies of one design and hold their intervals against the truth."""
    low, high = pair_indices(CODECS)
    average = case.truth.average()
    truth = average[low] - average[high]
    draw = np.random.default_rng([seed, case.annotators, case.sources, KINDS.index(case.kind)])
    estimates, halves, detected, held = [], [], 0, 0
    for _ in range(repeats):
        rows = case.study(draw)
        scale = fit(rows)
        contrasts = differences(scale, uncertainty(scale, rows))
        estimates.append([one.estimate for one in contrasts])
        halves.append([(one.high - one.low) / 2 for one in contrasts])
        detected += contrasts[1].distinguishable
        first, last = rank_intervals(scale.names, contrasts)
        rank = np.arange(1, CODECS + 1)
        held += bool(((first <= rank) & (rank <= last)).all())
    return _coverage(np.array(estimates), np.array(halves), truth, detected / repeats, held / repeats)


def _coverage(estimates: Floats, halves: Floats, truth: Floats, power: float, ranks: float) -> Coverage:
    covered = (np.abs(estimates - truth) <= halves).mean(axis=0)
    width = halves.mean(axis=0) / (1.96 * estimates.std(axis=0, ddof=1))
    return Coverage(
        coverage=float(covered.mean()),
        worst=float(covered.min()),
        width=float(width.mean()),
        widest=float(width.max()),
        bias=float(np.abs(estimates.mean(axis=0) - truth).mean()),
        power=power,
        ranks=ranks,
    )


def ratios(repeats: int, seed: int) -> Iterator[tuple[int, float, float]]:
    """Coverage of a share over few photographs: (photographs, of the t interval, of a bootstrap's percentiles)."""
    draw = np.random.default_rng(seed)
    for photographs in (7, 12, 29):
        by_t = by_percentile = 0
        for _ in range(repeats):
            size = draw.integers(20, 60, photographs).astype(float)
            won = draw.beta(14, 6, photographs) * size
            interval = ratio(won, size, clusters=[np.arange(photographs)])
            by_t += (
                interval.low is not None
                and interval.high is not None
                and interval.low <= 0.7 <= interval.high
            )
            times = draw.multinomial(photographs, np.full(photographs, 1 / photographs), size=500)
            low, high = np.quantile((times @ won) / (times @ size), [0.025, 0.975])
            by_percentile += low <= 0.7 <= high
        yield photographs, by_t / repeats, by_percentile / repeats


def beside_bootstrap(repeats: int, seed: int) -> Iterator[tuple[Case, float, float]]:
    """Mean standard error of differences against their real scatter: (design, of the covariance, of the bootstrap)."""
    low, high = pair_indices(CODECS)
    contrasts = np.eye(CODECS)[low] - np.eye(CODECS)[high]
    for case in BESIDE_BOOTSTRAP:
        draw = np.random.default_rng(seed)
        estimates, ours, theirs = [], [], []
        for n in range(repeats):
            rows = case.study(draw)
            scale = fit(rows)
            sure = uncertainty(scale, rows)
            estimates.append(contrasts @ scale.values)
            ours.append(sure.errors(contrasts).standard)
            theirs.append(bootstrap_errors(scale, sure, rows, replicates=100, seed=n))
        needed = np.array(estimates).std(axis=0, ddof=1)
        yield case, *(float((np.array(each).mean(axis=0) / needed).mean()) for each in (ours, theirs))


def main() -> int:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=600, help="made-up studies of each design")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(
        f"Six codecs, {VOTES} votes for each pair of each photograph; {arguments.repeats} studies of each design.\n"
    )
    print(
        "| pairs | people | photographs | spread of people | of photographs | coverage | lowest of a pair | width "
        "| widest | bias, JND | power for .6 JND | ranks hold |"
    )
    print("| --- " * 12 + "|")
    for case in grid():
        coverage = simulate(case, arguments.repeats, arguments.seed)
        cells = [
            f"{case.of_people:g}",
            f"{case.of_sources:g}",
            f"{coverage.coverage:.3f}",
            f"{coverage.worst:.3f}",
            f"{coverage.width:.2f}",
            f"{coverage.widest:.2f}",
            f"{coverage.bias:.3f}",
            f"{coverage.power:.2f}",
            f"{coverage.ranks:.3f}",
        ]
        print(f"| {case.kind} | {case.annotators} | {case.sources} | {' | '.join(cells)} |", flush=True)
    print("\n| photographs | t interval of a ratio | percentiles of a bootstrap |\n| --- | --- | --- |")
    for photographs, by_t, by_percentile in ratios(3 * arguments.repeats, arguments.seed):
        print(f"| {photographs} | {by_t:.3f} | {by_percentile:.3f} |", flush=True)
    print("\n| design | standard error, covariance | bootstrap |\n| --- | --- | --- |")
    for case, ours, theirs in beside_bootstrap(max(20, arguments.repeats // 4), arguments.seed):
        print(
            f"| {case.annotators} × {case.sources}, spreads {case.of_people:g} and {case.of_sources:g}, {case.kind} "
            f"| {ours:.2f} | {theirs:.2f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the statistics promise against what they keep, by simulation: `python -m benchmarks.statistics`.

Prints, for each design of a grid, how often the 95 % intervals of differences cover the truth, their width against the
needed one (1.96 standard deviations of what the estimates really scatter), bias, power and how often all rank intervals
hold together; then the interval of a ratio over few photographs, and the two-way bootstrap beside the covariance. One
core, about a quarter of an hour; `--repeats 100` for a look.

Designs of your own take the place of the grid: every combination of the sizes, spreads and kinds of pairs given.

    python -m benchmarks.statistics --sizes 5x5 8x30 --spreads 0,0.3 0.5,0.5 --pairs balanced unequal --seed 7
    python -m benchmarks.statistics --sizes 25x15 --strengths 2 1 0.5 0 -3.5 --votes 2
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks._bootstrap import bootstrap_errors
from benchmarks._designs import ALL_KINDS, STRENGTHS, VOTES, Case, cases_of, grid, size_of, spread_of
from psychometrics.comparisons import Floats, pair_indices
from psychometrics.differences import differences, rank_intervals
from psychometrics.estimates import ratio
from psychometrics.scaling import fit
from psychometrics.uncertainty import uncertainty

APART = 0.6  # JND, of the pair whose power is reported
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
    codecs = len(case.strengths)
    low, high = pair_indices(codecs)
    average = case.truth.average()
    truth = average[low] - average[high]
    best_first = np.argsort(-average, kind="stable")
    rank = np.argsort(best_first) + 1
    draw = np.random.default_rng([seed, case.annotators, case.sources, ALL_KINDS.index(case.kind)])
    estimates, halves, detected, held = [], [], 0, 0
    for _ in range(repeats):
        rows = case.study(draw)
        scale = fit(rows)
        contrasts = differences(scale, uncertainty(scale, rows))
        estimates.append([one.estimate for one in contrasts])
        halves.append([(one.high - one.low) / 2 for one in contrasts])
        detected += contrasts[_detectable(case)].distinguishable
        first, last = rank_intervals(scale.names, contrasts)
        held += bool(((first <= rank) & (rank <= last)).all())
    return _coverage(np.array(estimates), np.array(halves), truth, detected / repeats, held / repeats)


def _detectable(case: Case) -> int:
    """The pair whose power is reported: the one that is nearest to 0.6 JND apart."""
    low, high = pair_indices(len(case.strengths))
    strengths = np.array(case.strengths)
    return int(np.abs(np.abs(strengths[low] - strengths[high]) - APART).argmin())


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
    codecs = len(STRENGTHS)
    low, high = pair_indices(codecs)
    contrasts = np.eye(codecs)[low] - np.eye(codecs)[high]
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
        of_ours, of_theirs = (float((np.array(each).mean(axis=0) / needed).mean()) for each in (ours, theirs))
        yield case, of_ours, of_theirs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=600, help="made-up studies of each design")
    parser.add_argument("--seed", type=int, default=0)
    designs = parser.add_argument_group("designs of your own, in place of the grid")
    designs.add_argument("--sizes", type=size_of, nargs="+", metavar="PEOPLExPHOTOGRAPHS")
    designs.add_argument("--spreads", type=spread_of, nargs="+", metavar="PEOPLE,PHOTOGRAPHS", help="in JND")
    designs.add_argument("--pairs", choices=ALL_KINDS, nargs="+", help="how pairs are chosen")
    designs.add_argument("--strengths", type=float, nargs="+", metavar="JND", help="of the codecs")
    designs.add_argument("--votes", type=int, default=VOTES, help="for each pair of each photograph")
    return parser


def _print_coverage(cases: Sequence[Case], repeats: int, seed: int) -> None:
    codecs, votes = len(cases[0].strengths), cases[0].votes
    print(
        f"{codecs} codecs, {votes} votes for each pair of each photograph; {repeats} studies of each design.\n"
    )
    print(
        "| pairs | people | photographs | spread of people | of photographs | coverage | lowest of a pair | width "
        "| widest | bias, JND | power for .6 JND | ranks hold |"
    )
    print("| --- " * 12 + "|")
    for case in cases:
        coverage = simulate(case, repeats, seed)
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


def _print_cross_checks(repeats: int, seed: int) -> None:
    print("\n| photographs | t interval of a ratio | percentiles of a bootstrap |\n| --- | --- | --- |")
    for photographs, by_t, by_percentile in ratios(3 * repeats, seed):
        print(f"| {photographs} | {by_t:.3f} | {by_percentile:.3f} |", flush=True)
    print("\n| design | standard error, covariance | bootstrap |\n| --- | --- | --- |")
    for case, ours, theirs in beside_bootstrap(max(20, repeats // 4), seed):
        print(
            f"| {case.annotators} × {case.sources}, spreads {case.of_people:g} and {case.of_sources:g}, {case.kind} "
            f"| {ours:.2f} | {theirs:.2f} |",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables as Markdown."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.repeats < 2 or options.votes < 1 or len(options.strengths or STRENGTHS) < 2:
        parser.error(
            "--repeats must be 2 or more, --votes 1 or more, and --strengths need two codecs or more"
        )
    named = any((options.sizes, options.spreads, options.pairs, options.strengths, options.votes != VOTES))
    _print_coverage(cases_of(options) if named else list(grid()), options.repeats, options.seed)
    if not named:
        _print_cross_checks(options.repeats, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Metrics against people's answers on sources never seen in fitting: cross-validated on mucped23.

    python -m benchmarks.people --data mucped23 --originals cid22/validation [--fits alex alex+psnr] [--out t.json]

The JPEGs are made again from the originals by our codecs. Every fit is five-fold by source: its penalty and its choice
curve come from inside the four folds it sees, and it is scored on the fifth; published metrics get their choice curve
there too. Intervals are over sources; differences are paired. Features are computed once into `--cache`: some twenty
minutes of one core for vgg. `--fits comp:alex` fine-tunes as well: hours, and a run that was killed goes on where it
was.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from benchmarks._folds import Fitting, baseline
from benchmarks._mucped import People, read_people
from metric.core.distance.baselines import BASELINES
from metric.core.distance.cache import VectorCache
from metric.core.distance.weights import TrunkUnavailable
from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Candidate, Votes
from psychometrics.comparisons import Comparisons, Floats, number_labels
from psychometrics.estimates import ratio
from psychometrics.likelihood import losses
from psychometrics.scaling import fit

FITS = (
    *("alex", "squeeze", "vgg", "alex+psnr", "squeeze+psnr", "vgg+psnr", "vgg+psnr+ms-ssim"),
    *("alex+vgg", "alex+vgg+psnr", "alex+vgg+squeeze+psnr", "vgg+psnr+layers"),
    *("ssim2", "ssim2+psnr", "ssim2+psnr+ms-ssim", "alex+ssim2+psnr+layers", "vgg+ssim2+psnr+layers"),
)
AGAINST = ("psnr", "lpips-alex", "lpips-vgg", "lpips-squeeze")


def log_losses(row: Candidate, votes: Votes) -> Floats:
    """Log-loss of each pair's votes in nats, (N,), by the log-odds of a row."""
    assert row.test is not None
    return losses(row.test[:, 0] - row.test[:, 1], votes.p1, votes.total)


def differences(
    rows: Sequence[Candidate], votes: Votes, worth: Callable[[Candidate, Votes], Floats]
) -> dict[str, dict[str, Any]]:
    """Paired difference a vote of each row to each of AGAINST, with its interval; `worth`: of a pair's votes, (N,)."""
    sources = np.unique(votes.photograph, return_inverse=True)[1]
    known = {row.key: worth(row, votes) for row in rows if row.test is not None}
    gains: dict[str, dict[str, Any]] = {}
    for key, its in known.items():
        gains[key] = {}
        for other in AGAINST:
            if other in known and other != key:
                gain = ratio(its - known[other], votes.total, clusters=[sources])
                gains[key][other] = {"mean": gain.value, "low": gain.low, "high": gain.high}
    return gains


def agreeing(row: Candidate, votes: Votes) -> Floats:
    """Votes of each pair that agree with a row, (N,)."""
    assert row.test is not None
    return VoteMeans(votes).agreeing(row.test)


def twice_judged(rows: Sequence[Candidate], votes: Votes) -> dict[str, float]:
    """Each row's agreement on pairs with two answers or more: those on which the best possible is known."""
    often = votes.total >= 2
    total = votes.total[often].sum()
    return {row.key: float(agreeing(row, votes)[often].sum() / total) for row in rows if row.test is not None}


def ranked(first: Sequence[str], second: Sequence[str], outcome: NDArray[np.int64]) -> dict[str, float]:
    """Bradley–Terry scale of methods from single choices: 0 for the first, 1 for the second."""
    names, numbers = number_labels([*first, *second])
    split = len(first)
    scale = fit(Comparisons.of_choices(names, numbers[:split], numbers[split:], outcome)).values
    return {str(name): float(value) for name, value in zip(names, scale, strict=True)}


def against_elo(scale: dict[str, float], elo: dict[str, float]) -> dict[str, float]:
    """Rank and linear correlation of a scale with the published one, over the methods of both."""
    both = sorted(set(scale) & set(elo))
    mine, theirs = [scale[name] for name in both], [elo[name] for name in both]
    return {
        "methods": len(both),
        "spearman": float(spearmanr(mine, theirs).statistic),
        "pearson": float(pearsonr(mine, theirs).statistic),
    }


def rankings(people: People, rows: Sequence[Candidate], elo: dict[str, float]) -> dict[str, dict[str, float]]:
    """Rank correlation with the published Elo of Bradley–Terry over people's answers, and over metrics' choices."""
    a, b = ([getattr(answer, side).name for answer in people.answers] for side in ("a", "b"))
    chosen = np.array([answer.choice == "b" for answer in people.answers], dtype=np.int64)
    correlations = {"people, all answers": against_elo(ranked(a, b, chosen), elo)}
    first, second = ([methods[side] for methods in people.methods] for side in (0, 1))
    for row in rows:
        if row.test is not None:
            picks = (row.test[:, 1] < row.test[:, 0]).astype(np.int64)
            correlations[row.label] = against_elo(ranked(first, second, picks), elo)
    return correlations


def report(whole: dict[str, Any]) -> str:
    """The tables as Markdown, as they stand in docs/experiments.md."""
    rows = whole["table"]["rows"]
    lines = [
        _line("agreement, %", "with two answers or more, %", *(f"against {key}, points" for key in AGAINST))
    ]
    lines.append("| --- " * (3 + len(AGAINST)) + "|")
    for row in rows:
        gains = whole["differences"].get(row["key"], {})
        cells = [_share(row), _percent(whole["twice_judged"].get(row["key"]))]
        lines.append(_line(*cells, *(_gain(gains.get(key), 100, 1) for key in AGAINST), label=row["label"]))
    lines += ["", _line("log-loss, nats a vote", *(f"against {key}" for key in AGAINST))]
    lines.append("| --- " * (2 + len(AGAINST)) + "|")
    for row in rows:
        if row["key"] in whole["log_loss"]:
            gains = whole["log_loss_differences"][row["key"]]
            cells = [
                f"{whole['log_loss'][row['key']]:.4f}",
                *(_gain(gains.get(key), 1, 4) for key in AGAINST),
            ]
            lines.append(_line(*cells, label=row["label"]))
    lines += [
        "",
        _line("methods", "rank correlation with Elo", "linear", label="choices by"),
        "| --- " * 4 + "|",
    ]
    lines += [
        _line(str(its["methods"]), f"{its['spearman']:.3f}", f"{its['pearson']:.4f}", label=name)
        for name, its in whole["elo"].items()
    ]
    return "\n".join(lines)


def _line(*cells: str, label: str = "") -> str:
    return f"| {' | '.join((label, *cells))} |"


def _share(row: dict[str, Any]) -> str:
    if row["score"] is None:
        return str(row["reason"])
    interval = f" ({_percent(row['low'])} to {_percent(row['high'])})" if row["low"] is not None else ""
    return f"{_percent(row['score'])}{interval}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _gain(gain: dict[str, float] | None, unit: int, digits: int) -> str:
    if gain is None:
        return ""
    mean, low, high = (f"{unit * gain[name]:+.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="mucped23's folder, with answers.csv and elo.csv")
    parser.add_argument("--originals", type=Path, help="the folder of CID22's originals, NAME.png")
    parser.add_argument("--cache", type=Path, default=Path("var/cache/features"))
    parser.add_argument(
        "--fits", nargs="*", default=list(FITS), help=f"of {', '.join(FITS)}, or others like them"
    )
    parser.add_argument("--baselines", nargs="*", default=list(BASELINES), choices=list(BASELINES))
    parser.add_argument("--epochs", type=int, default=3, help="of fine-tuning, at most")
    parser.add_argument(
        "--crop", type=int, default=256, help="side of fine-tuning's crops, 0 for whole pictures"
    )
    parser.add_argument(
        "--learn-from",
        type=int,
        default=0,
        metavar="N",
        help="fit on N sources of each fold's; all, unless given",
    )
    parser.add_argument("--sources", nargs="*", help="names of originals; all, unless named")
    parser.add_argument("--out", type=Path, help="write everything as JSON")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.data is None or arguments.originals is None:
        print("people: not run. It needs mucped23 and CID22's originals: see --help.")
        return 0
    torch.set_num_threads(1)
    people = read_people(arguments.data, arguments.originals, arguments.sources)
    print(f"{people.usable} of {len(people.answers)} answers, {len(people.methods)} pairs", file=sys.stderr)
    with closing(VectorCache(arguments.cache)) as cache:
        rows = [baseline(key, people, cache, arguments.seed) for key in arguments.baselines]
        for name in arguments.fits:
            fitting = Fitting(
                name, people, cache, arguments.seed, arguments.epochs, arguments.crop, arguments.learn_from
            )
            try:
                rows.append(fitting.candidate())
            except TrunkUnavailable as error:
                rows.append(Candidate(name, f"fitted: {name}", "new", None, reason=str(error)))
            print(rows[-1].label, file=sys.stderr)
    whole = compared(people, rows, arguments.data, arguments.seed)
    print(report(whole))
    if arguments.out:
        arguments.out.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return 0


def compared(people: People, rows: Sequence[Candidate], data: Path, seed: int) -> dict[str, Any]:
    """All figures of the rows, as JSON."""
    votes = people.votes
    with (data / "elo.csv").open(newline="", encoding="utf-8") as file:
        elo = {row["method"]: float(row["elo"]) for row in csv.DictReader(file)}
    return {
        "table": evaluate(votes, rows, split="cross-validated", seed=seed),
        "differences": differences(rows, votes, agreeing),
        "twice_judged": twice_judged(rows, votes),
        "log_loss": {
            row.key: float(log_losses(row, votes).sum() / votes.total.sum())
            for row in rows
            if row.test is not None
        },
        "log_loss_differences": differences(rows, votes, log_losses),
        "elo": rankings(people, rows, elo),
    }


if __name__ == "__main__":
    warnings.simplefilter("error")
    raise SystemExit(main())

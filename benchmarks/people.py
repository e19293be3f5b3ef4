"""Metrics against people's answers on sources never seen in fitting: cross-validated on mucped23.

    python -m benchmarks.people --data mucped23 --originals cid22/validation [--fits alex alex+psnr] [--out t.json]

The JPEGs are made again from the originals by our codecs. Every fit is five-fold by source: its penalty is chosen
inside the four folds it sees, and it is scored on the fifth. Intervals draw whole sources; differences are paired.
Features are computed once into `--cache`: some twenty minutes of one core for vgg.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from tqdm import tqdm

from annotation.core.formats.mucped import KIND, read_mucped
from annotation.core.formats.plain import Answer
from annotation.core.ranking import Comparisons, number_labels, rank
from annotation.services.remaking import remake, why_not
from metric.core.baselines import BASELINES, BaselineUnavailable
from metric.core.cache import VectorCache
from metric.core.columns import Parts
from metric.core.config import RESAMPLES
from metric.core.evaluate import Bootstrap, Candidate, Votes, agreeing_votes, evaluate
from metric.core.features import Pair
from metric.core.fit import ballots, fit_heads, group_folds
from metric.core.images import Picture, picture_of, read_pixels
from metric.core.weights import TrunkUnavailable

FOLDS = 5
FITS = (
    *("alex", "squeeze", "vgg", "alex+psnr", "squeeze+psnr", "vgg+psnr", "vgg+psnr+ms-ssim"),
    *("alex+vgg", "alex+vgg+psnr", "alex+vgg+squeeze+psnr", "vgg+psnr+layers"),
)
TERMS = ("psnr", "ms-ssim")
OPTIONS = ("structure", "layers")
AGAINST = ("psnr", "lpips-alex", "lpips-vgg", "lpips-squeeze")


@dataclass(frozen=True)
class People:
    """Answers on N pairs that have pictures, and every answer, for the ranking of methods.

    `methods`: (first, second) of each pair; `pairs`: N of (original, first), then N of (original, second).
    """

    votes: Votes
    methods: list[tuple[str, str]]
    pairs: list[Pair]
    answers: list[Answer]
    usable: int


def read_people(data: Path, originals: Path, sources: Sequence[str] | None = None) -> People:
    """mucped23's answers with their pictures made again; rows without an original or an encoder are left out.

    `sources`: only these originals, where they are given.
    """
    answers = read_mucped(data).answers
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for answer in answers:
        methods = sorted((answer.a.name, answer.b.name))
        if any(why_not(method) for method in methods) or not (originals / f"{answer.source}.png").is_file():
            continue
        if sources is not None and answer.source not in sources:
            continue
        chosen = answer.a.name if answer.choice == "a" else answer.b.name
        counts[(answer.source, methods[0], methods[1])][methods.index(chosen)] += 1
    keys = sorted(counts)
    pictures, bpp = _pictures(keys, originals)
    numbers = np.array([counts[key] for key in keys], dtype=np.float64)
    rates = [(bpp[source, first] + bpp[source, second]) / 2 for source, first, second in keys]
    votes = Votes(
        *numbers.T,
        photograph=np.array([key[0] for key in keys], dtype=np.str_),
        kind=np.full(len(keys), KIND),
        target_bpp=np.array([f"{2.0 ** round(np.log2(rate)):g}" for rate in rates], dtype=np.str_),
    )
    pairs = [(pictures[key[0], ""], pictures[key[0], key[side]]) for side in (1, 2) for key in keys]
    return People(votes, [key[1:] for key in keys], pairs, answers, int(numbers.sum()))


def _pictures(
    keys: Sequence[tuple[str, str, str]], originals: Path
) -> tuple[dict[tuple[str, str], Picture], dict[tuple[str, str], float]]:
    needed = sorted({(source, method) for source, *both in keys for method in both})
    pictures: dict[tuple[str, str], Picture] = {}
    bpp = {}
    for source, method in tqdm(needed, desc="pictures made again", disable=None):
        if (source, "") not in pictures:
            pictures[source, ""] = picture_of(read_pixels(originals / f"{source}.png"))
        original = pictures[source, ""].read()
        made = remake(method, original)
        pictures[source, method] = picture_of(made.pixels)
        bpp[source, method] = 8 * made.file_bytes / (original.shape[0] * original.shape[1])
    return pictures, bpp


def fitted(name: str, people: People, cache: VectorCache, seed: int) -> Candidate:
    """Distances (N, 2) of a fit, each pair's by the fold that did not see its source.

    `name` joins trunks, terms and options with "+". Raises TrunkUnavailable.
    """
    words = name.split("+")
    terms = tuple(word for word in words if word in TERMS)
    nets = [word for word in words if word not in (*TERMS, *OPTIONS)]
    parts = Parts.of(nets, terms, "structure" in words)
    values = parts.values(people.pairs, cache).reshape(2, -1, len(parts.stock()))
    votes = people.votes
    fold_of = group_folds(votes.photograph, FOLDS, seed)
    distances = np.empty((len(fold_of), 2))
    strengths = []
    for fold in range(FOLDS):
        seen = fold_of != fold
        counts = [n[seen].astype(np.int64) for n in (votes.n_p0, votes.n_p1, votes.n_tie)]
        fit = fit_heads(
            ballots(
                *values[:, seen], n_p0=counts[0], n_p1=counts[1], n_tie=counts[2],
                groups=list(votes.photograph[seen]),
            ),
            parts.stock(),
            np.abs(values[:, seen]).mean(axis=(0, 1), dtype=np.float64),
            blocks=parts.blocks("layers" in words),
            scale=parts.scale(),
            seed=seed,
        )  # fmt: skip
        strengths.append(fit.strength)
        # Times the slope, so that distances of different folds are log-odds of one kind.
        distances[~seen] = (values[:, ~seen].astype(np.float64) @ (fit.weights * fit.slope)).T
    label = f"fitted: {name} (strengths {', '.join(f'{one:g}' for one in strengths)})"
    return Candidate(name, label, "new", distances)


def baseline(key: str, people: People, cache: VectorCache) -> Candidate:
    """A row of a published metric as it is."""
    found = BASELINES[key]
    try:
        values = found.distances(people.pairs, cache, None, None)
    except BaselineUnavailable as error:
        return Candidate(key, found.label, "baseline", None, reason=str(error))
    return Candidate(key, found.label, "baseline", values.reshape(2, -1).T)


def differences(rows: Sequence[Candidate], votes: Votes, seed: int) -> dict[str, dict[str, Any]]:
    """Paired difference of each row to each of AGAINST, with its interval."""
    bootstrap = Bootstrap(votes.photograph, seed, RESAMPLES)
    known = {row.key: agreeing_votes(row.test, votes) for row in rows if row.test is not None}
    total = float(votes.total.sum())
    found: dict[str, dict[str, Any]] = {}
    for key, agreeing in known.items():
        found[key] = {}
        for other in AGAINST:
            if other in known and other != key:
                gain = agreeing - known[other]
                low, high = np.percentile(bootstrap.ratios(gain, votes.total), [2.5, 97.5])
                found[key][other] = {
                    "mean": float(gain.sum()) / total, "low": float(low), "high": float(high)
                }  # fmt: skip
    return found


def ranked(first: Sequence[str], second: Sequence[str], outcome: NDArray[np.int64]) -> dict[str, float]:
    """Bradley–Terry scale of methods from single choices: 0 for the first, 1 for the second."""
    names, numbers = number_labels([*first, *second])
    nobody = np.zeros(len(outcome), dtype=np.int64)
    split = len(first)
    comparisons = Comparisons(names, numbers[:split], numbers[split:], outcome, nobody, nobody)
    scale = rank(comparisons, replicates=0).scale
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
    found = {"people, all answers": against_elo(ranked(a, b, chosen), elo)}
    first, second = ([methods[side] for methods in people.methods] for side in (0, 1))
    for row in rows:
        if row.test is not None:
            picks = (row.test[:, 1] < row.test[:, 0]).astype(np.int64)
            found[row.label] = against_elo(ranked(first, second, picks), elo)
    return found


def report(table: dict[str, Any], gains: dict[str, dict[str, Any]], correlations: dict[str, Any]) -> str:
    """The table as Markdown, as it stands in docs/experiments.md."""
    lines = ["| | agreement, % | " + " | ".join(f"against {key}, points" for key in AGAINST) + " |"]
    lines.append("| --- " * (2 + len(AGAINST)) + "|")
    for row in table["rows"]:
        if row["score"] is None:
            lines.append(f"| {row['label']} | {row['reason']} |" + " |" * len(AGAINST))
            continue
        interval = f" ({_percent(row['low'])} to {_percent(row['high'])})" if row["low"] is not None else ""
        cells = [_gain(gains.get(row["key"], {}).get(key)) for key in AGAINST]
        lines.append(f"| {row['label']} | {_percent(row['score'])}{interval} | {' | '.join(cells)} |")
    lines += [
        "",
        "| choices by | methods | rank correlation with Elo | linear |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {its['methods']} | {its['spearman']:.3f} | {its['pearson']:.4f} |"
        for name, its in correlations.items()
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _gain(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    return f"{100 * found['mean']:+.1f} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


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
        rows = [baseline(key, people, cache) for key in arguments.baselines]
        for name in arguments.fits:
            try:
                rows.append(fitted(name, people, cache, arguments.seed))
            except TrunkUnavailable as error:
                rows.append(Candidate(name, f"fitted: {name}", "new", None, reason=str(error)))
            print(rows[-1].label, file=sys.stderr)
    table = evaluate(people.votes, rows, split="cross-validated", seed=arguments.seed)
    gains = differences(rows, people.votes, arguments.seed)
    with (arguments.data / "elo.csv").open(newline="", encoding="utf-8") as file:
        elo = {row["method"]: float(row["elo"]) for row in csv.DictReader(file)}
    correlations = rankings(people, rows, elo)
    print(report(table, gains, correlations))
    if arguments.out:
        whole = {"table": table, "differences": gains, "elo": correlations}
        arguments.out.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    warnings.simplefilter("error")
    raise SystemExit(main())

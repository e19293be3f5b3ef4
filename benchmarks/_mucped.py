"""People's answers of mucped23 with their pictures made again, for `benchmarks.people`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from annotation.core.formats.mucped import KIND, read_mucped
from annotation.core.formats.plain import Answer
from annotation.services.published_stimuli import recreate, why_unavailable
from imaging.pictures import load_photograph
from metric.core.distance.features import Pair
from metric.core.distance.images import Picture, as_picture
from metric.core.evaluation.votes import Votes


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
        if (
            any(why_unavailable(method) for method in methods)
            or not (originals / f"{answer.source}.png").is_file()
        ):
            continue
        if sources is not None and answer.source not in sources:
            continue
        chosen = answer.a.name if answer.choice == "a" else answer.b.name
        counts[(answer.source, methods[0], methods[1])][methods.index(chosen)] += 1
    keys = sorted(counts)
    pictures, bpp = _pictures(keys, originals)
    numbers = np.array([counts[key] for key in keys], dtype=np.float64)
    rates = [(bpp[source, first] + bpp[source, second]) / 2 for source, first, second in keys]
    n_p0, n_p1, n_tie = numbers.T
    votes = Votes(
        n_p0,
        n_p1,
        n_tie,
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
            pictures[source, ""] = as_picture(load_photograph(originals / f"{source}.png").pixels)
        original = pictures[source, ""].read()
        made = recreate(method, original)
        pictures[source, method] = as_picture(made.pixels)
        bpp[source, method] = 8 * made.file_bytes / (original.shape[0] * original.shape[1])
    return pictures, bpp

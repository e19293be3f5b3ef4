"""Any metrics held against people's mean scores of single pictures: CSV of `source,distorted,score`, as CID22 has them.

A higher score is a better picture. Scores are compared within each source, so that their zero may differ between
sources. Needs no database.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.formats.plain import AnswersError
from metric.core.distance.cache import VectorCache
from metric.core.distance.features import Pair
from metric.core.distance.viewing import Viewing
from metric.core.evaluation.panel import FEWEST_CONDITIONS, Scale, correlations
from metric.core.evaluation.votes import Candidate
from metric.reports.answers import Pictures, Unusable
from metric.reports.candidates import candidate
from psychometrics.comparisons import Floats
from psychometrics.tables import TableError, read_records
from psychometrics.text_table import aligned

COLUMNS = ("source", "distorted", "score")

Progress = Callable[[str, int, int], None]


def compare_scores(
    path: Path,
    names: Sequence[str],
    cache: Path | None,
    progress: Progress,
    viewing: Viewing | None = None,
) -> dict[str, Any]:
    """{"file", "excluded", "n_scores", "n_sources", "rows"}, each row with SROCC, KROCC, PLCC and RMSE.

    Raises AnswersError for a score that is no number, or where fewer than three pictures of each source can be used.
    """
    pairs, scores, excluded = _read(path)
    source = np.unique([reference.sha256 for reference, _ in pairs], return_inverse=True)[1]
    many = np.bincount(source)[source] >= FEWEST_CONDITIONS
    if not many.any():
        few = f"{path} has no source with {FEWEST_CONDITIONS} pictures or more that can be used."
        raise AnswersError(f"{few}{_why(excluded)}")
    kept_pairs = [pair for pair, keep in zip(pairs, many, strict=True) if keep]
    place = np.repeat(np.arange(len(kept_pairs))[:, None], 2, axis=1)
    scale = Scale(scores[many], source[many].astype(np.int64), place)
    opened = closing(VectorCache(cache)) if cache else nullcontext(None)
    with opened as vectors:
        # `candidate` takes the pairs of two sides; a score has one.
        rows = [
            _row(candidate(name, kept_pairs + kept_pairs, vectors, progress, viewing), scale)
            for name in names
        ]
    if not many.all():
        excluded["fewer than three pictures of the source"] += int(np.count_nonzero(~many))
    return {
        "file": path.name,
        "excluded": dict(excluded),
        "n_scores": len(kept_pairs),
        "n_sources": len(np.unique(source[many])),
        "rows": rows,
    }


def _row(one: Candidate, scale: Scale) -> dict[str, Any]:
    row = {"key": one.key, "label": one.label, "available": one.test is not None, "reason": one.reason}
    return row if one.test is None else row | correlations(one.test, scale)


def _read(path: Path) -> tuple[list[Pair], Floats, Counter[str]]:
    try:
        records = read_records(path, COLUMNS)
    except TableError as error:
        raise AnswersError(str(error)) from error
    open_picture, excluded = Pictures(path.parent), Counter[str]()
    pairs: list[Pair] = []
    scores: list[float] = []
    for line, row in records:
        score = _number(path, line, row["score"])
        try:
            source, distorted = (open_picture(row[name]) for name in COLUMNS[:2])
            if (source.width, source.height) != (distorted.width, distorted.height):
                raise Unusable("it compares pictures of different sizes")
        except Unusable as error:
            excluded[str(error)] += 1
            continue
        pairs.append((source, distorted))
        scores.append(score)
    if not pairs:
        raise AnswersError(f"No row of {path} can be used.{_why(excluded)}")
    return pairs, np.array(scores), excluded


def _why(excluded: Counter[str]) -> str:
    """The most frequent reason why rows were excluded, as one more sentence; empty where none was."""
    return "".join(
        f" Most frequent reason ({count} rows): {reason.rstrip('.')}."
        for reason, count in excluded.most_common(1)
    )


def _number(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise AnswersError(
            f"Line {line} of {path} has the score {text!r}; it must be a number; higher is better."
        )
    return value


def format_scores(result: dict[str, Any]) -> str:
    """The same as text for a terminal."""
    lines = [
        f"{result['n_scores']} scores of pictures of {result['n_sources']} sources; correlations are within sources",
        *(f"{count} rows excluded: {reason}" for reason, count in result["excluded"].items()),
        "",
    ]
    head = ["", "SROCC", "KROCC", "PLCC", "RMSE"]
    table = [head]
    for row in result["rows"]:
        if row["available"]:
            figures = [row[name] for name in ("srocc", "krocc", "plcc", "rmse")]
            table.append([row["label"], *("–" if value is None else f"{value:.3f}" for value in figures)])
    lines += aligned(table)
    lines += [
        f"{row['label']}: unavailable, {row['reason']}" for row in result["rows"] if not row["available"]
    ]
    return "\n".join(lines) + "\n"

"""Any metrics held against any file of answers: the panel of agreement, as JSON and as text. Needs no database."""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.formats.plain import AnswersError
from metric.core.config import ROWS
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load
from metric.core.distance.viewing import Viewing
from metric.core.evaluation.panel import panel, people
from metric.core.evaluation.votes import Votes
from metric.reports.answer_evaluation import learned_from
from metric.reports.answers import JudgedPairs, NoUsableRow, read_judged_pairs
from metric.reports.candidates import candidate
from metric.reports.scored import COLUMNS as SCORES
from metric.reports.scored import compare_scores, format_scores
from psychometrics.answers import Answers, format_of, read_answers
from psychometrics.conditions import AnswersError as NoNames
from psychometrics.tables import TableError, read_table
from psychometrics.text_table import aligned

Progress = Callable[[str, int, int], None]
ONE_SOURCE = (
    "All answers are about one source, so there is no interval over sources, and no log-loss or calibration where a "
    "metric has no choice curve of its own: both need a second source."
)
NO_PICTURES = "the file names no pictures, or none of them is there"


def compare(
    path: Path,
    names: Sequence[str],
    cache: Path | None = None,
    progress: Progress = lambda stage, done, total: None,
    viewing: Viewing | None = None,
) -> dict[str, Any]:
    """The panel of the metrics called `names` on the answers of a file, with {"file", "excluded", "notes"}.

    For mean scores of single pictures, what `compare_scores` gives. A metric that cannot be used here or fails is a row
    with the reason. `viewing` is for metrics that model it. Answers whose conditions are names and not pictures are
    judged for what needs no pixels. Raises AnswersError, UnknownMetric, CheckpointError.
    """
    if _has_scores(path):
        return compare_scores(path, names, cache, progress, viewing)
    try:
        judged = read_judged_pairs(path)
    except AnswersError as unreadable:
        if isinstance(unreadable, NoUsableRow) and not unreadable.all_missing:
            raise
        return _without_pictures(path, names, unreadable)
    kept = closing(VectorCache(cache)) if cache else nullcontext(None)
    with kept as vectors:
        candidates = [candidate(name, judged.pairs, vectors, progress, viewing) for name in names]
    return {
        "file": path.name,
        "excluded": dict(judged.excluded),
        "notes": [*judged.notes, *_learned_from(names, judged, progress)],
        **panel(judged.votes, judged.singles, judged.names, candidates),
    }


def _learned_from(names: Sequence[str], judged: JudgedPairs, progress: Progress) -> list[str]:
    """For each version that has learned from sources of these answers, a sentence that says so."""
    sources = len(np.unique(judged.votes.photograph))
    notes = []
    for name in names:
        if name in ROWS or not Path(name).is_dir():
            continue
        seen = learned_from(judged, load(Path(name)), Path(name), progress)["sources_learned_from"]
        if seen:
            notes.append(
                f"{name} has learned from {seen} of the {sources} sources: on them it scores better than on new ones."
            )
    return notes


def _has_scores(path: Path) -> bool:
    """Whether the file holds mean scores of single pictures in the place of answers about pairs."""
    try:
        return path.is_file() and set(SCORES) <= set(read_table(path).head)
    except TableError:
        return False  # whoever reads it says what is wrong with it


def _without_pictures(path: Path, names: Sequence[str], unreadable: AnswersError) -> dict[str, Any]:
    """What a file of names says: how far people agree. Raises the reader's own error for a file that is neither."""
    try:
        answers = read_answers(path)
    except NoNames as error:
        # A row that is wrong in a format of names is the reason; pictures were never named there.
        raise AnswersError(str(error)) if _names_conditions(path) else unreadable from None
    votes = _counted(answers)
    return {
        "file": path.name,
        "excluded": {},
        "notes": list(answers.notes),
        "n_answers": int(votes.total.sum()),
        "n_pairs": len(votes.total),
        "n_sources": len(answers.sources),
        "n_annotators": len(answers.annotators) or None,
        "people": people(votes),
        "rows": [{"key": name, "label": name, "available": False, "reason": NO_PICTURES} for name in names],
        "pairs": [],
    }


def _names_conditions(path: Path) -> bool:
    """Whether the head is that of a format whose conditions are names, not the plain one, which has pictures too."""
    try:
        return path.is_file() and format_of(set(read_table(path).head)) not in (None, "plain")
    except TableError:
        return False


def _counted(answers: Answers) -> Votes:
    """Votes on each pair of conditions of each source."""
    low, high = np.minimum(answers.first, answers.second), np.maximum(answers.first, answers.second)
    keys = np.stack([answers.source, low, high], axis=1)
    pairs, place = np.unique(keys, axis=0, return_inverse=True)
    worth = np.array([0.0, 1.0, 0.5])[answers.outcome]
    p1 = np.where(answers.first > answers.second, 1 - worth, worth)
    lost, won, tied = (
        np.bincount(place.reshape(-1), p1 == value, len(pairs)).astype(np.float64)
        for value in (0.0, 1.0, 0.5)
    )
    sources = np.array([str(answers.sources[number]) for number in pairs[:, 0]], dtype=np.str_)
    same = np.full(len(pairs), "0")
    return Votes(lost, won, tied, sources, same, same)


def format_panel(result: dict[str, Any]) -> str:
    """The panel as text for a terminal, or the correlations with mean scores."""
    if "n_scores" in result:
        return format_scores(result)
    number = result["n_annotators"]
    people = "" if number is None else f" by {number:,} {'person' if number == 1 else 'people'}"
    lines = [
        f"{_count(result['n_answers'], 'answer')}{people} on {_count(result['n_pairs'], 'pair')} of "
        f"{_count(result['n_sources'], 'source')}",
        *result["notes"],
        *(f"{_count(count, 'row')} excluded: {reason}" for reason, count in result["excluded"].items()),
        "",
        f"People, one with another: {_share(result['people']['human_score'])}; best possible metric: "
        f"{_share(result['people']['ceiling'])} (both on pairs with two votes or more)",
        "",
    ]
    head = ["", "score", "log-loss", "calib.", "SROCC", "KROCC", "PLCC", "RMSE", "different", "better"]
    table = [head, *(_cells(row) for row in result["rows"] if row["available"])]
    if len(table) > 1:
        lines += aligned(table)
        if result["n_sources"] == 1:
            lines.append(ONE_SOURCE)
    lines += [
        f"{row['label']}: unavailable, {row['reason']}" for row in result["rows"] if not row["available"]
    ]
    if result["pairs"]:
        lines += ["", "Differences in score, in points, with p by Holm:"]
        lines += [_pair(row) for row in result["pairs"]]
    return "\n".join(lines) + "\n"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _cells(row: dict[str, Any]) -> list[str]:
    error = row["calibration_error"]
    off = "–" if error is None else f"{100 * error:.1f}"
    numbers = [off, *(_number(row[name]) for name in ("srocc", "krocc", "plcc", "rmse"))]
    loss = row["log_loss"]
    return [
        row["label"], _share(row["score"]), _number(loss["value"] if loss else None), *numbers,
        _number(row["different"]["value"]), _number(row["better"]["value"]),
    ]  # fmt: skip


def _pair(row: dict[str, Any]) -> str:
    its = row["difference"]
    words = f"{row['first']} less {row['second']}: {100 * its['value']:+.1f}"
    if its["low"] is None or row["p_holm"] is None:
        return words
    verdict = "" if row["p_holm"] < 0.05 else ", not distinguishable"
    return f"{words} ({100 * its['low']:+.1f} to {100 * its['high']:+.1f}), {_p(row['p_holm'])}{verdict}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p {value:.3f}"


def _share(estimate: dict[str, float | None]) -> str:
    if estimate["value"] is None:
        return "–"
    words = f"{100 * estimate['value']:.1f} %"
    low, high = estimate["low"], estimate["high"]
    return words if low is None or high is None else f"{words} ({100 * low:.1f} to {100 * high:.1f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

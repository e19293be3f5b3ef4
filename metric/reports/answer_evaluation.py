"""A metric held against a file of people's answers: the table that a run stores, for sources that it never saw."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from metric.core.config import BASELINE_KEYS, RESAMPLES, stock_rival
from metric.core.distance.base import Metric
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load, read_manifest
from metric.core.distance.columns import distances
from metric.core.distance.viewing import Viewing
from metric.core.evaluation.evaluate import evaluate
from metric.core.evaluation.votes import Candidate, Kind
from metric.core.snapshot.likeness import copies
from metric.core.snapshot.thumbnail import LEARNED_SOURCES, read_thumbnails, thumbnail
from metric.reports.answers import JudgedPairs
from metric.reports.candidates import by_side, candidate

Progress = Callable[[str, int, int], None]


def evaluate_on(
    *,
    judged: JudgedPairs,
    folder: Path,
    promoted: Path | None = None,
    baselines: tuple[str, ...] = BASELINE_KEYS,
    cache: Path | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress = lambda stage, done, total: None,
    viewing: Viewing | None = None,
) -> dict[str, Any]:
    """The evaluation of the version in `folder` on these answers: the dict of `metric.core.evaluation.evaluate`, with

        {"version": {"folder", "kind", "nets", "data_hash", "simulated"},
         "judgments": {"sha256", "rows", "excluded", "sources_learned_from", "copies_of_learned"}}

    `sources_learned_from`: how many of the file's sources the version has seen, in train or val, including copies: on
    them it scores better than on new ones. `copies_of_learned`: those with other pixels that show what a training
    photograph shows (re-encoded, resized or cropped), each with that photograph's hash; null for a version without
    thumbnails. The log-loss and calibration of versions use the choice curve of their own training, never these
    answers; those of baselines, a curve fitted on the other sources of these answers.

    Raises CheckpointError, TrunkUnavailable.
    """
    metric = load(folder)
    versions = {"promoted": ("Promoted version", load(promoted))} if promoted else {}
    versions["new"] = ("This version", metric)
    evaluation = evaluate(
        judged.votes,
        _candidates(judged, versions, baselines, cache, progress, viewing),
        answers=judged.singles,
        split="given",
        simulated=False,
        stock_key=stock_rival(metric.settings.get("nets") or [metric.settings["net"]]),
        conditions=judged.names,
        seed=seed,
        resamples=resamples,
    )
    return {
        "version": {"folder": str(folder), **_described(folder, metric)},
        "judgments": {
            "sha256": judged.sha256,
            "rows": judged.rows,
            "excluded": dict(judged.excluded),
            **learned_from(judged, metric, folder, progress),
        },
        **evaluation,
    }


def _candidates(
    judged: JudgedPairs,
    versions: Mapping[str, tuple[str, Metric]],
    baselines: Sequence[str],
    cache: Path | None,
    progress: Progress,
    viewing: Viewing | None,
) -> list[Candidate]:
    with nullcontext() if cache is None else closing(VectorCache(cache)) as vectors:
        rows = [candidate(key, judged.pairs, vectors, progress, viewing) for key in baselines]
        rows += [
            _version(key, label, metric, judged, vectors, progress)
            for key, (label, metric) in versions.items()
        ]
        if vectors is not None:
            vectors.trim()
    return rows


def learned_from(judged: JudgedPairs, metric: Metric, folder: Path, progress: Progress) -> dict[str, Any]:
    """`sources_learned_from` and `copies_of_learned` of a version in a folder, as `evaluate_on` gives them."""
    splits = metric.settings["splits"]
    learned = {name for split in ("train", "val") for name in splits.get(split, {}).get("photographs", ())}
    shown = {reference.sha256: reference for reference, _ in judged.pairs}
    same = learned & set(shown)
    path = folder / LEARNED_SOURCES
    if not path.is_file():
        return {"sources_learned_from": len(same), "copies_of_learned": None}
    others = [name for name in shown if name not in same]
    thumbnails = [thumbnail(shown[name].read()) for name in others]
    alike = copies(read_thumbnails(path), thumbnails, lambda done, total: progress("copies", done, total))
    alike_by_name = {name: one for name, one in zip(others, alike, strict=True) if one is not None}
    return {"sources_learned_from": len(same) + len(alike_by_name), "copies_of_learned": alike_by_name}


def _described(folder: Path, metric: Metric) -> dict[str, Any]:
    settings = metric.settings
    return {
        "kind": settings["kind"],
        "nets": list(settings.get("nets", [settings["net"]])),
        "terms": list(settings.get("terms", [])),
        "data_hash": settings["data_hash"],
        "simulated": settings["simulated"],
        "sha256": read_manifest(folder)["files"]["metric.safetensors"],
    }


def _version(
    key: str, label: str, metric: Metric, judged: JudgedPairs, cache: VectorCache | None, progress: Progress
) -> Candidate:
    values = distances(metric, judged.pairs, cache, lambda done, total: progress(key, done, total))
    kind: Kind = "new" if key == "new" else "promoted"
    return Candidate(key, label, kind, by_side(values), curve=metric.curve)

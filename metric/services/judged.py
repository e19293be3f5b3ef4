"""A metric held against a file of people's answers: the table that a run stores, for sources that it never saw."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.formats.plain import Answer, AnswersError, Shown, read_plain
from annotation.services.imported_rows import nearest_rate
from imaging.files import file_sha256
from imaging.pictures import PhotographError, load_photograph
from imaging.pixels import Pixels, pixels_sha256
from metric.core.config import BASELINE_KEYS, RESAMPLES, stock_rival
from metric.core.distance.base import Metric
from metric.core.distance.baselines import BASELINES, BaselineUnavailable
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load, read_manifest
from metric.core.distance.columns import distances
from metric.core.distance.features import Pair
from metric.core.distance.images import KEPT_BYTES, Picture
from metric.core.evaluation.evaluate import Candidate, Votes, evaluate
from psychometrics.comparisons import Floats

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Judged:
    """The answers of a file, counted: N pairs with their votes and pictures; `pairs` holds (ref, a), then (ref, b)."""

    votes: Votes
    pairs: list[Pair]
    sha256: str
    rows: int


def read_judged(path: Path) -> Judged:
    """Read the plain CSV and its pictures. Raises AnswersError for a row or a picture that cannot be used."""
    answers = read_plain(path).answers
    open_picture = _Pictures(path)
    counts: dict[tuple[str, str, str], list[int]] = {}
    first_said: dict[tuple[str, str, str], Answer] = {}
    for answer in answers:
        source, a, b = (open_picture(name) for name in (answer.source, answer.a.name, answer.b.name))
        _require_comparable(path, answer, source, a, b)
        swapped = a.sha256 > b.sha256
        key = (source.sha256, *sorted((a.sha256, b.sha256)))
        first_said.setdefault(key, answer)
        choice = ("b", "a", "tie") if swapped else ("a", "b", "tie")
        counts.setdefault(key, [0, 0, 0])[choice.index(answer.choice)] += 1
    pictures = {
        picture.sha256: picture
        for answer in answers
        for picture in map(open_picture, (answer.source, answer.a.name, answer.b.name))
    }
    return Judged(
        votes=_votes(counts, first_said),
        pairs=[(pictures[key[0]], pictures[key[side]]) for side in (1, 2) for key in counts],
        sha256=file_sha256(path),
        rows=len(answers),
    )


class _Pictures:
    """The pictures that a file names, each decoded once; past KEPT_BYTES, once more whenever its pixels are wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Picture] = {}
        self._room = KEPT_BYTES

    def __call__(self, name: str) -> Picture:
        if name not in self._known:
            pixels = self._read(name)
            read = (lambda: pixels) if self._room > 0 else (lambda: self._read(name))
            self._room -= pixels.nbytes
            height, width = pixels.shape[:2]
            self._known[name] = Picture(pixels_sha256(pixels), height, width, read)
        return self._known[name]

    def _read(self, name: str) -> Pixels:
        file = self._path.parent / name
        try:
            return load_photograph(file).pixels
        except (OSError, PhotographError) as error:
            raise AnswersError(f"{file}, which {self._path.name} names, cannot be read: {error}") from error


def _require_comparable(path: Path, answer: Answer, source: Picture, a: Picture, b: Picture) -> None:
    sizes = {(picture.width, picture.height) for picture in (source, a, b)}
    if len(sizes) > 1:
        said = ", ".join(f"{width}x{height}" for width, height in sorted(sizes))
        raise AnswersError(f"Line {answer.line} of {path} compares pictures of different sizes: {said}.")
    if a.sha256 == b.sha256:
        raise AnswersError(
            f"Line {answer.line} of {path} compares two pictures that are equal in every pixel."
        )


def _votes(
    counts: dict[tuple[str, str, str], list[int]], first_said: dict[tuple[str, str, str], Answer]
) -> Votes:
    numbers = np.array(list(counts.values()), dtype=np.float64).reshape(-1, 3)
    said = [first_said[key] for key in counts]
    return Votes(
        *numbers.T,
        photograph=np.array([key[0] for key in counts], dtype=np.str_),
        kind=np.array([answer.kind for answer in said], dtype=np.str_),
        target_bpp=np.array([_rate(answer.a, answer.b) for answer in said], dtype=np.str_),
    )


def _rate(a: Shown, b: Shown) -> str:
    """The rate that a pair is filed under, as an import files it; 0 where the file says none."""
    known = [shown.bpp for shown in (a, b) if shown.bpp is not None]
    return f"{nearest_rate(sum(known) / len(known)) if known else 0:g}"


def evaluate_on(
    *,
    judged: Judged,
    folder: Path,
    promoted: Path | None = None,
    baselines: tuple[str, ...] = BASELINE_KEYS,
    cache: Path | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """The evaluation of the version in `folder` on these answers: the dict of `metric.core.evaluation.evaluate`, with

        {"version": {"folder", "kind", "nets", "data_hash", "simulated"},
         "judgments": {"sha256", "rows", "sources_learned_from"}}

    `sources_learned_from`: how many of the file's sources the version has seen, in train or val: on them it looks
    better than it is.
    The log-loss and calibration of versions use the choice curve of their own training, never these answers; those of
    baselines, a curve fitted on the other sources of these answers. Raises CheckpointError, TrunkUnavailable.
    """
    metric = load(folder)
    with closing(VectorCache(cache or folder / "unused")) as vectors:
        kept = vectors if cache else None
        rows = [_baseline(key, judged, kept, progress) for key in baselines]
        if promoted is not None:
            rows.append(_version("promoted", "Promoted version", load(promoted), judged, kept, progress))
        rows.append(_version("new", "This version", metric, judged, kept, progress))
        if kept is not None:
            kept.trim()
    evaluation = evaluate(
        judged.votes,
        rows,
        split="given",
        simulated=False,
        stock_key=stock_rival(metric.settings.get("nets") or [metric.settings["net"]]),
        seed=seed,
        resamples=resamples,
    )
    return {
        "version": {"folder": str(folder), **_described(folder, metric)},
        "judgments": {
            "sha256": judged.sha256,
            "rows": judged.rows,
            "sources_learned_from": _learned_from(judged, metric),
        },
        **evaluation,
    }


def _learned_from(judged: Judged, metric: Metric) -> int:
    """Sources whose photographs the version had in train or val; a crop of one is not known again."""
    splits = metric.settings["splits"]
    learned = {name for split in ("train", "val") for name in splits.get(split, {}).get("photographs", ())}
    return len(learned & set(judged.votes.photograph.tolist()))


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


def _baseline(key: str, judged: Judged, cache: VectorCache | None, progress: Progress) -> Candidate:
    baseline = BASELINES[key]
    try:
        found = baseline.distances(judged.pairs, cache, lambda done, total: progress(key, done, total), None)
    except BaselineUnavailable as error:
        return Candidate(key, baseline.label, "baseline", None, reason=str(error))
    return Candidate(key, baseline.label, "baseline", _by_side(found))


def _version(
    key: str, label: str, metric: Metric, judged: Judged, cache: VectorCache | None, progress: Progress
) -> Candidate:
    found = distances(metric, judged.pairs, cache, lambda done, total: progress(key, done, total))
    kind = "new" if key == "new" else "promoted"
    return Candidate(key, label, kind, _by_side(found), curve=metric.curve)


def _by_side(found: Floats) -> Floats:
    return np.asarray(found, dtype=np.float64).reshape(2, -1).T

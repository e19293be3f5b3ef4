"""After a run: which pairs of its study would teach the next one most; annotation stores the ranking."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from annotation.models import Judgment, Study, Triplet
from annotation.services.allocation.priorities import set_priorities
from annotation.services.encoding import read_pixels
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load
from metric.core.distance.columns import distances
from metric.core.distance.features import Pair
from metric.core.distance.images import Picture
from metric.core.evaluation.allocation import rank_triplets
from metric.models import MetricVersion
from metric.services.shared_vectors import local_folder
from metric.services.versions import version_folder
from psychometrics.comparisons import Floats

# Comparing the pictures of a pair takes about a second on a small machine: enough pairs for days of judging.
MOST_PAIRS = 2000
# The new version, the one in use and the one before it: where they differ, an answer decides between them.
MOST_VERSIONS = 3

Progress = Callable[[str, int, int], None]


def rank_open_pairs(*, version: MetricVersion, progress: Progress = lambda stage, done, total: None) -> str:
    """Ranks the open pairs of the version's study and hands the ranking to annotation; says what it did.

    Studies that are closed, or whose allocation does not ask for it, are left alone.
    """
    study = version.run.snapshot.study
    if version.simulated:
        return (
            "pairs are not ranked: a version trained on simulated judgments does not choose pairs for people"
        )
    if study.rules.allocation != "uncertain":
        return "pairs are not ranked: the study does not choose pairs by disagreement"
    if study.state not in (Study.State.OPEN, Study.State.PAUSED):
        return f"pairs are not ranked: the study is {study.state}"
    triplets, votes = _open_pairs(study)
    if not triplets:
        return "pairs are not ranked: none is open"
    versions = _versions(version)
    stated = np.stack([_chances(one, triplets, progress) for one in versions])
    ranking = rank_triplets(stated, *votes.T)
    priorities = {t.pk: float(p) for t, p in zip(triplets, ranking.priority, strict=True)}
    changed = set_priorities(study=study, priorities=priorities)
    numbers = ", ".join(str(one.number) for one in versions)
    return f"{changed} open pairs ranked by versions {numbers}"


def _open_pairs(study: Study) -> tuple[list[Triplet], Floats]:
    """Pairs that still want people's votes, the least judged first, and their votes: first, second, tie, (N, 3)."""
    rows = Triplet.objects.unfinished(study, simulated=False)
    triplets = list(rows.with_images().order_by("votes", "shuffle")[:MOST_PAIRS])
    votes = Judgment.objects.filter(study=study).by_people().counted().votes_by_triplet()
    return triplets, np.array([votes.get(triplet.pk, (0, 0, 0)) for triplet in triplets], dtype=np.float64)


def _versions(version: MetricVersion) -> list[MetricVersion]:
    """This version, the promoted one and the study's last, without repeats, of those that learned from people."""
    known = MetricVersion.objects.filter(simulated=False).exclude(pk=version.pk)
    promoted = known.filter(promoted=True)
    last = known.filter(run__snapshot__study=version.run.snapshot.study).order_by("-number")
    versions = {one.pk: one for one in (version, *promoted, *last[:1])}
    return list(versions.values())[:MOST_VERSIONS]


def _chances(version: MetricVersion, triplets: list[Any], progress: Progress) -> Floats:
    """P(the second is closer) of each triplet, by one version."""
    metric = load(version_folder(version=version))
    pairs = list(_pairs(triplets))
    with closing(VectorCache(local_folder())) as cache:
        values = distances(metric, pairs, cache, lambda done, total: progress("allocation", done, total))
    return metric.require_curve().chance(np.asarray(values).reshape(2, -1).T)


def _pairs(triplets: list[Any]) -> Iterator[Pair]:
    """All (source, first), then all (source, second)."""
    for side in ("first", "second"):
        for triplet in triplets:
            yield _picture(triplet, triplet.source), _picture(triplet, getattr(triplet, side))


def _picture(triplet: Any, row: Any) -> Picture:
    source = triplet.source
    return Picture(row.sha256, source.height, source.width, lambda: read_pixels(row.image))

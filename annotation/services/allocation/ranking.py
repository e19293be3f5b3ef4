"""Priorities for studies with the allocation "ranking", computed in batches, never inside a request."""

from typing import Any

import structlog
from django.core.cache import cache
from django.db.models import Count, F, Max, Sum

from annotation.core.conditions import Condition
from annotation.models import Enrolment, Judgment, Study, Triplet
from annotation.reports.comparisons import study_votes, tally_by_name
from annotation.services.allocation.priorities import set_priorities
from psychometrics.results import level_of_rows
from psychometrics.sampling import CandidatePair, Posterior, gaussian_posterior, priorities

log = structlog.get_logger(__name__)

# Two priorities this close are the same, and the row is left as it is.
SAME = 1e-4
# The one scale of a study whose pairs join its levels; no level is 0.
JOINED = 0.0
# How long the state that priorities were computed from is remembered; without it they are computed again.
REMEMBERED_S = 24 * 3600


def refresh_rankings() -> int:
    """Sets the priorities of all open studies that rank methods; returns how many pairs have a new one.

    Studies in which nothing changed since their last refresh are skipped.
    """
    studies = [study for study in Study.objects.open() if study.rules.allocation == "ranking"]
    return sum(_refresh_if_changed(study) for study in studies)


def _refresh_if_changed(study: Study) -> int:
    key = f"ranking-state-{study.key}"
    # Read before the votes are: an answer that arrives in between makes the next refresh a needless one.
    state = state_of_votes(study)
    if cache.get(key) == state:
        return 0
    changed = refresh_ranking(study=study)
    cache.set(key, state, REMEMBERED_S)
    return changed


def state_of_votes(study: Study) -> tuple[Any, ...]:
    """What differs whenever the study's priorities may: its pairs, their counters, the newest answer, who is excluded.

    A vote that is withdrawn or excluded moves the counters of its pair, and an answer that replaces another one is
    newer. Counters are weighted by the pair's id, so that one pair's gain does not hide another's loss. Every part is
    answered from an index; none grows with the number of judgments.
    """
    pairs = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR)
    newest = Judgment.objects.filter(study=study).by_people().aggregate(at=Max("received_at"))
    excluded = Enrolment.objects.excluded().filter(study=study)
    return (
        *pairs.aggregate(n=Count("pk"), served=Sum(F("pk") * F("served"))).values(),
        *pairs.aggregate(votes=Sum(F("pk") * F("votes"))).values(),
        *newest.values(),
        *excluded.aggregate(n=Count("pk"), at=Max("excluded_at")).values(),
    )


def refresh_ranking(*, study: Study) -> int:
    """Sets the study's priorities from the votes so far; returns how many pairs have a new one."""
    pairs = list(
        Triplet.objects.filter(study=study, role=Triplet.Role.PAIR).values_list(
            *("level", "first__method", "second__method", "pk", "source_id", "served"),
            *("first__level", "second__level", "priority"),
        )
    )
    if not pairs:
        return 0
    # With pairs across levels all conditions stand on one scale; without them each level has its own.
    joined = any(row[0] is None for row in pairs)
    named = [_by_condition(row) for row in pairs] if joined else pairs
    number = {name: n for n, name in enumerate(sorted({name for row in named for name in row[1:3]}))}
    candidates = [
        CandidatePair(pk, source, JOINED if joined else float(level), number[first], number[second], served)
        for level, first, second, pk, source, served, *_ in named
    ]
    posteriors = _posteriors(study, number, {pair.scale for pair in candidates})
    computed = priorities(candidates, posteriors, seed=study.key)
    before = {row[3]: row[8] for row in pairs}
    changed = {pk: value for pk, value in computed.items() if abs(value - before[pk]) > SAME}
    if not changed:
        return 0
    written = set_priorities(study=study, priorities=changed)
    log.info("priorities refreshed", study=study.slug, pairs=written)
    return written


def _by_condition(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with the names of conditions, METHOD@LEVEL, in the places of methods."""
    level, first, second, pk, source, served, first_level, second_level, priority = row
    names = (str(Condition(first, float(first_level))), str(Condition(second, float(second_level))))
    return (level, *names, pk, source, served, first_level, second_level, priority)


def _posteriors(study: Study, number: dict[str, int], scales: set[float]) -> dict[float, Posterior]:
    """By scale, from people's votes alone: simulated votes do not affect which pairs people see."""
    rows = study_votes(study, simulated=False).comparisons
    level = level_of_rows(rows)
    posteriors = {}
    for scale in scales:
        joined = scale == JOINED
        counts = tally_by_name(rows if joined else rows.where(level == scale), number, method=not joined)
        posteriors[scale] = gaussian_posterior(counts, len(number))
    return posteriors

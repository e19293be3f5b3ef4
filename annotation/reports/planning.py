"""What a study may be expected to tell, before it opens: the planner of psychometrics with the study's numbers."""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from django.core.cache import cache

from annotation.core.conditions import levels, methods
from annotation.models import Study
from annotation.reports.duration import study_duration
from annotation.reports.results import StudyResults, cached_results, votes_by_population
from psychometrics.planning import Assumed, Plan, Size, cheapest, piloted, plan

# Of the cheapest study: what a wish is looked for among, by default.
MOST_SOURCES, MOST_ANNOTATORS = 60, 200
# Simulating a large study takes seconds, and the same numbers always give the same plan.
CACHED_S = 30 * 24 * 3600
# Part of the key in the cache: raise it when the planner's figures or the form of Plan change.
PLAN_VERSION = 1


def recruitment_plan(values: dict[str, Any], assumed: Assumed) -> Plan:
    """The plan of a size, or with `halfwidth` the cheapest that reaches it. Raises PlanError.

    `values`: conditions, levels, and sources, annotators and votes, or halfwidth with the most of the first two.
    Plans are kept in the shared cache by all of these numbers.
    """
    # JSON writes floats so that they are read back to the last digit: numbers that differ have keys that differ.
    numbers = json.dumps([PLAN_VERSION, values, asdict(assumed)], sort_keys=True)
    key = f"plan-{sha256(numbers.encode()).hexdigest()}"
    plan: Plan | None = cache.get(key)
    if plan is None:
        plan = _simulated(values, assumed)
        cache.set(key, plan, CACHED_S)
    return plan


def _simulated(values: dict[str, Any], assumed: Assumed) -> Plan:
    if values.get("halfwidth"):
        return cheapest(
            values["halfwidth"],
            values["conditions"],
            assumed,
            levels=values["levels"],
            most_sources=values.get("sources") or MOST_SOURCES,
            most_annotators=values.get("annotators") or MOST_ANNOTATORS,
        )
    size = Size(*(values[name] for name in ("conditions", "sources", "annotators", "votes", "levels")))
    return plan(size, assumed)


def size_of(study: Study) -> dict[str, Any]:
    """A study's own numbers, to begin from; as many annotators as it takes to give every vote within its sessions."""
    conditions = study.conditions()
    names, rates = max(2, len(methods(conditions))), max(1, len(levels(conditions)))
    sources, votes = max(1, study.sources.count()), study.votes_per_triplet
    judgments = names * (names - 1) // 2 * sources * votes * rates
    people = max(votes, -(-judgments // study.pairs_per_session))
    return {"conditions": names, "levels": rates, "sources": sources, "annotators": people, "votes": votes}


@dataclass(frozen=True)
class Effort:
    """What all pairs of a study cost people: answers, annotators by their sessions, hours with arrival."""

    answers: int
    annotators: int
    hours: float


def study_effort(study: Study, answers: int, assumed: Assumed) -> Effort:
    """The effort of so many answers in sessions of the study's length."""
    annotators = max(study.votes_per_triplet, -(-answers // study.pairs_per_session))
    seconds = answers * assumed.seconds + annotators * 60 * assumed.arrival_minutes
    return Effort(answers, annotators, seconds / 3600)


def study_assumptions(study: Study) -> tuple[Assumed, bool]:
    """What is assumed of people and photographs, and whether it is what the study's answers so far show."""
    pilot = _pilot(study)
    sections = () if pilot is None else pilot.results.deciding
    ranking = next((section.ranking for section in sections if section.ranking is not None), None)
    duration = study_duration(study)
    times = {"seconds": duration.seconds, "arrival_minutes": duration.arrival_minutes}
    if ranking is None:
        return replace(Assumed(), **times), False
    return replace(piloted(ranking), **times), True


def _pilot(study: Study) -> StudyResults | None:
    votes = votes_by_population(study)["people"]
    return cached_results(study, "people", votes) if votes else None

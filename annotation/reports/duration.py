"""How long judging takes: from how fast people were in studies with the same layout here, or from the protocol."""

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from django.core.cache.backends.locmem import LocMemCache

from annotation.cached import cached
from annotation.core.protocol import Protocol
from annotation.models import Assignment, Judgment, Reconstruction, Session, Study, Triplet
from annotation.reports.cost import planned_pairs

# Seconds of an answer until people have been timed here: from the next pair's onset to the answer, and the change.
ASSUMED_SECONDS = {"side": 8.0, "toggle": 11.0, "flicker": 10.0}
# Seconds of the steps on arrival, reading included.
STEP_SECONDS = {"screen": 10, "brightness": 30, "colour_vision": 45, "acuity": 50, "card": 30}
CONSENT_SECONDS, INSTRUCTIONS_SECONDS = 45, 40
# A practice answer is followed by the right one, which is looked at.
TRAINING_FACTOR, BREAK_SECONDS = 1.5, 30
# So many answers of people tell more than the assumption does; of the latest so many are read.
FEWEST_ANSWERS, MOST_ANSWERS = 50, 2000
# A longer gap between two answers is a break.
LONGEST_GAP_SECONDS = 120
CACHED_S = 3600
# In this process, not in the shared cache: each answer reports it, also while that cache is away.
_totals = LocMemCache("session-totals", {"timeout": 600, "max_entries": 20_000})


@dataclass(frozen=True)
class Duration:
    """Seconds of an answer, timed from so many `answers`; minutes before the first pair and of a session of `pairs`."""

    seconds: float
    arrival_minutes: float
    minutes: float
    answers: int = 0
    pairs: int = 0

    @property
    def rounded(self) -> int:
        """Minutes as one tells them: whole ones up to ten, then in steps of five."""
        return max(1, round(self.minutes)) if self.minutes < 10 else 5 * round(self.minutes / 5)


def study_duration(study: Study) -> Duration:
    """What a session of the study takes, as full as the study's pairs can make it."""
    seconds, answers = seconds_of_answer(study.rules.layout)
    rules, pairs = study.rules, pairs_of_session(study)
    arrival = arrival_minutes(rules, instructions=bool(study.instructions))
    training = rules.training_pairs * seconds * TRAINING_FACTOR
    breaks = BREAK_SECONDS * ((pairs - 1) // rules.break_every) if rules.break_every else 0
    judging = min(pairs * seconds + breaks, rules.sitting_minutes * 60)
    return Duration(seconds, arrival, arrival + (training + judging) / 60, answers, pairs)


def pairs_of_session(study: Study, *, seen: int = 0) -> int:
    """How many pairs a session has, checks among them: nobody judges more than the study has.

    `seen` pairs came in the annotator's other sessions, and do not come again.
    """
    rules, pairs = study.rules, _pairs(study)
    checks = rules.sentinel_percent + rules.identical_percent + rules.repeat_percent + rules.golden_percent
    every = round(max(0, pairs - seen) / max(1 - checks / 100, 0.01))
    return min(study.pairs_per_session, every) if pairs else study.pairs_per_session


def _pairs(study: Study) -> int:
    """Those that were made, once all are; until then all that the study may come to have."""
    made = study.triplets.filter(role=Triplet.Role.PAIR).count()
    if made and not study.unplanned and not Reconstruction.objects.needed_by(study).pending().exists():
        return made
    return max(made, planned_pairs(study))


def session_total(session: Session) -> int:
    """How many pairs its page counts to, from 1: those of a session, without what its annotator saw in others.

    Kept for ten minutes.
    """
    key = f"{session.annotator_id}-{session.pk}"
    return cast(int, _totals.get_or_set(key, lambda: _session_total(session)))


def _session_total(session: Session) -> int:
    seen = Assignment.objects.spent().filter(
        annotator=session.annotator_id, study=session.study_id, kind=Assignment.Kind.PAIR
    )
    study = Study.objects.get(pk=session.study_id)  # whole: a claim has read a part of it
    return max(1, pairs_of_session(study, seen=seen.exclude(session=session.pk).count()))


def arrival_minutes(rules: Protocol, *, instructions: bool = True) -> float:
    """From the study's link to its first pair."""
    seconds = CONSENT_SECONDS * rules.consent + INSTRUCTIONS_SECONDS * instructions
    for step, duration in STEP_SECONDS.items():
        rule = rules.screen_check if step == "screen" else getattr(rules, step)
        seconds += duration * (rule != "skip")
    return seconds / 60


def seconds_of_answer(layout: str) -> tuple[float, int]:
    """(seconds, answers) as people's latest answers in this layout show here; without enough of them an assumption."""
    measured = cached(f"seconds-of-answer-{layout}", lambda: _measured(layout), CACHED_S)
    return measured if measured[1] >= FEWEST_ANSWERS else (ASSUMED_SECONDS[layout], 0)


def _measured(layout: str) -> tuple[float, int]:
    """The mean gap between two answers of one session, breaks aside."""
    latest = (
        Judgment.objects.filter(simulated=False, study__protocol__layout=layout, study__origin="")
        .exclude(assignment__kind=Assignment.Kind.TRAINING)
        .order_by("-received_at")
        .values_list("assignment__session", "received_at")[:MOST_ANSWERS]
    )
    rows = sorted(latest)
    gaps = [
        gap
        for (session, before), (other, at) in pairwise(rows)
        if session == other and 0 < (gap := (at - before).total_seconds()) <= LONGEST_GAP_SECONDS
    ]
    return (sum(gaps) / len(gaps), len(gaps)) if gaps else (0.0, 0)

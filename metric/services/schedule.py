"""When to train again: beat asks every few minutes, and each study's rule answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet, Sum
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import Judgment, Snapshot, Study
from annotation.services.snapshots import request_snapshot
from metric.models import RetrainRule, TrainingRun
from metric.services.requests import request_training

log = structlog.get_logger(__name__)

# As many as a page shows; beat looks at all.
MOST_STANDINGS = 20


@dataclass(frozen=True)
class Due:
    """How a study stands to its rule, for people's judgments or for simulated ones.

    `last`: when a run was last requested. `at`: when the next one may begin; None while that is not known, and
    `reason` says why. `is_now`: whether it is time.
    """

    study: Study
    simulated: bool
    new: int
    enough: int
    last: datetime | None
    at: datetime | None
    reason: str
    is_now: bool


def rule_of(study: Study) -> RetrainRule:
    """The study's own rule, or the site's, which is not saved."""
    return RetrainRule.objects.filter(study=study).first() or RetrainRule(study=study)


def new_judgments(*, study: Study, simulated: bool) -> int:
    """Judgments that came after the last snapshot which a run was, or is being, trained on.

    A run that failed because a store, a network or a database was away has used up nothing.
    """
    judged = Judgment.objects.filter(study=study).of_population(simulated=simulated).counted()
    used = TrainingRun.objects.filter(snapshot=OuterRef("pk")).exclude(
        state=TrainingRun.State.FAILED, passing=True
    )
    trained = (
        Snapshot.objects.filter(Exists(used), study=study, simulated=simulated).order_by("-until").first()
    )
    if trained is None:  # all votes: the pairs' counters add up to them, a million rows need not be read
        votes = Sum("simulated_votes" if simulated else "votes", default=0)
        return int(study.triplets.aggregate(n=votes)["n"])
    return judged.filter(received_at__gt=trained.until).count()


def retraining_due(*, study: Study, simulated: bool, now: datetime | None = None) -> Due:
    """Where the study stands with its rule at `now`."""
    now = now or timezone.now()
    rule = rule_of(study)
    new = new_judgments(study=study, simulated=simulated)
    enough = study.retrain_after or settings.RETRAIN_AFTER
    runs = TrainingRun.objects.filter(study=study, snapshot__simulated=simulated)
    last = runs.aggregate(last=Max("created_at"))["last"]
    at, reason = None, ""
    if runs.pending().exists():
        reason = "a run is in progress"
    elif not rule.enabled:
        reason = "switched off"
    elif new < enough:
        reason = f"waits for {enough - new:,} more judgment{'s' * (enough - new > 1)}"
    else:
        at = next_time(now, last, rule.hours_between, rule.quiet_from, rule.quiet_to)
    return Due(study, simulated, new, enough, last, at, reason, is_now=at is not None and at <= now)


def next_time(
    now: datetime, last: datetime | None, hours_between: int, quiet_from: int, quiet_to: int
) -> datetime:
    """The first moment from `now` on that is `hours_between` after `last` and inside the quiet hours (UTC).

    The quiet hours go from the full hour `quiet_from` to the full hour `quiet_to`, over midnight if need be; equal
    hours stand for the whole day.
    """
    moment = max(now, last + timedelta(hours=hours_between)) if last else now
    length = (quiet_to - quiet_from) % 24 or 24
    opened = moment.replace(hour=quiet_from, minute=0, second=0, microsecond=0)
    if opened > moment:
        opened -= timedelta(days=1)
    inside = moment < opened + timedelta(hours=length)
    return moment if inside else opened + timedelta(days=1)


def standings(studies: QuerySet[Study]) -> list[Due]:
    """The newest studies that were opened and judged, each with the populations that judged."""
    judged = Judgment.objects.filter(study=OuterRef("pk"))
    studies = studies.exclude(state=Study.State.DRAFT).filter(Exists(judged)).order_by("-pk")
    return [due for study in studies[:MOST_STANDINGS] for due in study_standing(study=study)]


def study_standing(*, study: Study) -> list[Due]:
    """The same of one study."""
    judged = Judgment.objects.filter(study=study)
    return [
        retraining_due(study=study, simulated=simulated)
        for simulated in (False, True)
        if judged.of_population(simulated=simulated).exists()
    ]


def retrain_due(now: datetime | None = None) -> list[TrainingRun]:
    """A snapshot and a run for each study whose time has come. What a study lacks is left for the next time."""
    now = now or timezone.now()
    runs = []
    for study in Study.objects.exclude(state=Study.State.DRAFT):
        for simulated in (False, True):
            if not retraining_due(study=study, simulated=simulated, now=now).is_now:
                continue
            try:
                runs.append(_retrain(study, simulated, now))
            except Refused as error:
                log.warning("not retrained", study=study.slug, simulated=simulated, reason=str(error))
    return [run for run in runs if run is not None]


@transaction.atomic
def _retrain(study: Study, simulated: bool, now: datetime) -> TrainingRun | None:
    """Both or neither; None when another worker was first, for whoever looks holds the study's row."""
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if not retraining_due(study=study, simulated=simulated, now=now).is_now:
        return None
    return request_training(
        snapshot=request_snapshot(study=study, simulated=simulated, scheduled=True),
        config=rule_of(study).config,
        trigger=TrainingRun.Trigger.SCHEDULE,
    )

"""When to train again: a study with enough new judgments is retrained, by beat's schedule."""

from django.conf import settings

from annotation.errors import Refused
from annotation.models import Judgment, Snapshot, Study
from annotation.models.work import Work
from annotation.services.snapshots import request_snapshot
from metric.models import TrainingRun
from metric.services.requests import request_training


def new_judgments(*, study: Study, simulated: bool) -> int:
    """Judgments that came after the last snapshot which a run was, or is being, trained on."""
    judged = Judgment.objects.filter(study=study).of_population(simulated=simulated)
    trained = (
        Snapshot.objects.filter(study=study, simulated=simulated, training_runs__isnull=False)
        .order_by("-until")
        .first()
    )
    return (judged.filter(received_at__gt=trained.until) if trained else judged).count()


def due_studies() -> list[tuple[Study, bool]]:
    """Studies, with the population whose judgments are many and new enough."""
    due = []
    for study in Study.objects.exclude(state=Study.State.DRAFT):
        enough = study.retrain_after or settings.RETRAIN_AFTER
        for simulated in (False, True):
            if (
                not _in_the_making(study, simulated)
                and new_judgments(study=study, simulated=simulated) >= enough
            ):
                due.append((study, simulated))
    return due


def _in_the_making(study: Study, simulated: bool) -> bool:
    return TrainingRun.objects.filter(
        snapshot__study=study,
        snapshot__simulated=simulated,
        state__in=[Work.State.QUEUED, Work.State.RUNNING],
    ).exists()


def retrain_due() -> list[TrainingRun]:
    """A snapshot and a run for each study that is due. What a study lacks is left for the next time."""
    runs = []
    for study, simulated in due_studies():
        try:
            snapshot = request_snapshot(study=study, simulated=simulated)
            runs.append(request_training(snapshot=snapshot, trigger=TrainingRun.Trigger.SCHEDULE))
        except Refused:
            continue
    return runs

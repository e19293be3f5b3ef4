"""Beat's rule: enough new judgments, counted apart for people and programs, and nothing twice."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from annotation.services.snapshots import request_snapshot
from metric.models import TrainingRun
from metric.services.schedule import new_judgments, retrain_due
from tests.kit.factories import make_judged_study, make_judgment, make_session, make_triplet

pytestmark = pytest.mark.django_db

# In the quiet hours of those who chose none, and long after anything that a test does now.
NIGHT = datetime(2100, 1, 1, 3, 30, tzinfo=UTC)


def test_a_study_with_enough_new_judgments_is_retrained_once() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    (run,) = retrain_due(NIGHT)
    assert (run.snapshot.study, run.trigger, run.snapshot.simulated) == (study, "on schedule", False)
    assert retrain_due(NIGHT) == []


def test_too_few_are_left_for_later(settings: Settings) -> None:
    make_judged_study(people=6)
    settings.RETRAIN_AFTER = 25
    assert retrain_due(NIGHT) == []
    settings.RETRAIN_AFTER = 24
    assert len(retrain_due(NIGHT)) == 1


def test_only_what_came_since_the_last_run_counts() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    (run,) = retrain_due(NIGHT)
    TrainingRun.objects.update(state="done")
    study.votes_per_triplet = 20
    study.save()
    make_triplet(study)
    make_judgment(make_session(study))
    assert new_judgments(study=study, simulated=False) == 1
    assert retrain_due(NIGHT) == []


def test_programs_count_apart() -> None:
    study = make_judged_study(people=1, programs=6, retrain_after=24)
    (run,) = retrain_due(NIGHT)
    assert run.snapshot.simulated and run.snapshot.scheduled
    assert not request_snapshot(study=study, simulated=True).scheduled
    assert new_judgments(study=study, simulated=False) == 4


def test_a_run_that_failed_for_no_fault_of_the_data_uses_up_nothing() -> None:
    study = make_judged_study(people=6)
    snapshot = request_snapshot(study=study)
    run = TrainingRun.objects.create(snapshot=snapshot, study=study, state="failed", passing=True)
    assert new_judgments(study=study, simulated=False) == 24
    TrainingRun.objects.filter(pk=run.pk).update(passing=False)
    assert new_judgments(study=study, simulated=False) == 0

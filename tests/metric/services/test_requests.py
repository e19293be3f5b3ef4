"""Which run is next: none while a living worker trains on its study, and never one that cannot begin either."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from metric.models import TrainingRun
from metric.services.requests import is_training, next_waiting
from tests.metric.versions import make_run

pytestmark = pytest.mark.django_db


def held(run: TrainingRun, *, seconds: int, state: str = "running") -> TrainingRun:
    """The run with a lease that ends in so many seconds."""
    until = timezone.now() + timedelta(seconds=seconds)
    TrainingRun.objects.filter(pk=run.pk).update(state=state, lease=uuid4(), lease_expires_at=until)
    return run


@pytest.mark.parametrize(
    ("state", "seconds", "expected"), [("running", 60, True), ("running", -1, False), ("done", 60, False)]
)
def test_a_study_is_trained_on_while_a_run_of_it_is_held_alive(
    state: str, seconds: int, expected: bool
) -> None:
    run = held(make_run(), seconds=seconds, state=state)
    assert is_training(study_id=run.study_id) is expected
    assert not is_training(study_id=make_run().study_id), "another study is free"


def test_the_oldest_run_of_a_study_that_nobody_trains_on_is_next() -> None:
    busy = held(make_run(), seconds=60)
    make_run(busy.snapshot)
    first, second = make_run(), make_run()
    assert next_waiting(after=busy.pk) == first
    held(first, seconds=60)
    assert next_waiting(after=first.pk) == second


def test_a_run_of_a_study_whose_worker_died_is_next() -> None:
    dead = held(make_run(), seconds=-1)
    waits = make_run(dead.snapshot)
    assert next_waiting(after=dead.pk) == waits


def test_nothing_is_next_while_the_run_before_still_waits() -> None:
    waiting, _ = make_run(), make_run()
    assert next_waiting(after=waiting.pk) is None

"""However many beats are started, one of them is the clock; its messages do not outlive their use."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

import annotation.tasks  # noqa: F401 - tasks are known once they are imported
import metric.tasks  # noqa: F401
from annotation.models import Clock
from config.beat import SingletonScheduler

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[SingletonScheduler]:
    """The schedulers that sent what was due, in turn."""
    sent: list[SingletonScheduler] = []

    def tick(self: SingletonScheduler, *args: Any) -> float:
        sent.append(self)
        return 1.0

    monkeypatch.setattr(DatabaseScheduler, "tick", tick)
    for module in ("config.beat", "django_celery_beat.schedulers"):
        monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)
    return sent


def make_beat() -> SingletonScheduler:
    return SingletonScheduler(current_app, lazy=True)


def test_one_of_two_beats_sends(ticks: list[SingletonScheduler]) -> None:
    first, second = make_beat(), make_beat()
    for beat in (first, second, first, second):
        beat.tick()
    assert ticks == [first, first]


def test_another_takes_over_from_one_that_is_silent(ticks: list[SingletonScheduler]) -> None:
    first, second = make_beat(), make_beat()
    first.tick()
    Clock.objects.update(ticked_at=timezone.now() - timedelta(seconds=31))
    second.tick()
    first.tick()
    assert ticks == [first, second]


def test_another_takes_over_at_once_from_one_that_ended(ticks: list[SingletonScheduler]) -> None:
    first, second = make_beat(), make_beat()
    first.tick()
    first.close()
    second.tick()
    assert ticks == [first, second]


def test_each_tick_is_in_the_database(ticks: list[SingletonScheduler]) -> None:
    began = timezone.now()
    make_beat().tick()
    assert began <= Clock.objects.get().ticked_at <= timezone.now()


def test_there_is_one_clock() -> None:
    holder = uuid.uuid4()
    assert Clock.objects.all().hold(holder)
    assert not Clock.objects.all().hold(uuid.uuid4())
    assert Clock.objects.all().hold(holder)


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_a_periodic_message_expires(entry: dict[str, Any]) -> None:
    task = current_app.tasks[entry["task"]]
    assert 0 < task.expires <= max(3600, getattr(entry["schedule"], "seconds", 0))


@pytest.mark.parametrize(
    "name",
    ["annotation.tasks.reap", "annotation.tasks.encode", "metric.tasks.train", "metric.tasks.train_codec"],
)
def test_every_task_has_a_time_limit(name: str) -> None:
    task = current_app.tasks[name]
    limit = task.time_limit or current_app.conf.task_time_limit
    assert limit == settings.TIME_LIMITS["train" if ".train" in name else "default"]

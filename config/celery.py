"""The Celery application: `celery -A config worker` and `celery -A config beat` start from here."""

import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("closer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _one_thread_each(**_: object) -> None:
    """Worker processes already share the cores; training, in a process of its own, takes them all."""
    os.environ["OMP_NUM_THREADS"] = "1"

"""Settings and wiring. Importing it brings the Celery application up, as `celery -A config` expects."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

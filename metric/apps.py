"""The metric app: what was learned from the judgments."""

from django.apps import AppConfig


class MetricConfig(AppConfig):
    """Training runs and the metric versions they made."""

    name = "metric"
    default_auto_field = "django.db.models.BigAutoField"

"""The metric app: what was learned from the judgments."""

from django.apps import AppConfig


class MetricConfig(AppConfig):
    """Training runs and the metric versions they made."""

    name = "metric"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Codecs that search by a metric find this site's versions by their names."""
        from codecs_zoo import site_metrics
        from metric.services.site_metrics import DatabaseSite

        site_metrics.add_site(DatabaseSite())

"""Django's admin for training runs and versions, to read."""

from django.contrib import admin

from annotation.admin import ReadOnlyAdmin
from metric.models import MetricVersion, RetrainRule, TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Training runs."""

    list_display = ["pk", "snapshot", "state", "stage", "trigger", "created_at", "error"]
    list_filter = ["state", "trigger"]
    list_select_related = ["snapshot__study"]


@admin.register(MetricVersion)
class MetricVersionAdmin(ReadOnlyAdmin):
    """Metric versions."""

    list_display = ["number", "net", "kind", "simulated", "promoted", "created_at"]


@admin.register(RetrainRule)
class RetrainRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """When each study is trained again; those without a row follow the defaults."""

    list_display = ["study", "enabled", "hours_between", "quiet_from", "quiet_to"]
    list_select_related = ["study"]

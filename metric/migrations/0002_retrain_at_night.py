"""Beat's rule for retraining, as a row: the admin can change when, and an upgrade does not change it back."""

from django.db import migrations
from django.db.migrations.state import StateApps


def add_schedule(apps: StateApps, schema_editor: object) -> None:
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    night, _ = crontab.objects.get_or_create(
        minute="0", hour="3", day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        task="metric.tasks.retrain",
        defaults={
            "name": "Retrain the metric where a study has enough new judgments",
            "crontab": night,
            "description": "At night by default. Choose another crontab or an interval here; "
            "RETRAIN_AFTER and each study's own setting say how many new judgments are enough.",
        },
    )


def remove_schedule(apps: StateApps, schema_editor: object) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task="metric.tasks.retrain").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("metric", "0001_training_runs_and_versions"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add_schedule, remove_schedule)]

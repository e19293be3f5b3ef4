"""A rule for retraining per study, and beat asks every ten minutes instead of once a night: the rules decide."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.state import StateApps

TASK = "metric.tasks.retrain"
NIGHT = {"minute": "0", "hour": "3", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*"}
OFTEN = {**NIGHT, "minute": "*/10", "hour": "*"}


def _move(apps: StateApps, before: dict[str, str], after: dict[str, str]) -> None:
    """Only a task that still has the crontab we gave it: what an admin chose stays."""
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=TASK).first()
    if task is None or task.crontab is None:
        return
    if all(getattr(task.crontab, name) == value for name, value in before.items()):
        crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
        task.crontab, _ = crontab.objects.get_or_create(**after, timezone="UTC")
        task.save()


def ask_often(apps: StateApps, schema_editor: object) -> None:
    _move(apps, NIGHT, OFTEN)


def ask_at_night(apps: StateApps, schema_editor: object) -> None:
    _move(apps, OFTEN, NIGHT)


class Migration(migrations.Migration):
    dependencies = [
        ("metric", "0002_retrain_at_night"),
        ("annotation", "0004_studies_from_before_the_protocol"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetrainRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="Train on schedule")),
                (
                    "hours_between",
                    models.PositiveSmallIntegerField(
                        default=20,
                        help_text="At least, from one run to the next.",
                        validators=[django.core.validators.MaxValueValidator(8760)],
                    ),
                ),
                (
                    "quiet_from",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Full hour, UTC: training begins in quiet hours only.",
                        validators=[django.core.validators.MaxValueValidator(23)],
                    ),
                ),
                (
                    "quiet_to",
                    models.PositiveSmallIntegerField(
                        default=5,
                        help_text="The same hour as before: any hour is quiet.",
                        validators=[django.core.validators.MaxValueValidator(23)],
                    ),
                ),
                (
                    "config",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Settings of the runs that differ, such as {"net": "vgg"}.',
                    ),
                ),
                (
                    "study",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="retrain_rule",
                        to="annotation.study",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="retrainrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("quiet_from__lt", 24), ("quiet_to__lt", 24)),
                name="quiet_hours_are_hours_of_a_day",
            ),
        ),
        migrations.RunPython(ask_often, ask_at_night),
    ]

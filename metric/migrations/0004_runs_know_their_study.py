"""A run carries its snapshot's study, so that a constraint can speak of it."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The study of each run's snapshot, in one statement."""
    snapshots = apps.get_model("annotation", "Snapshot").objects.filter(pk=OuterRef("snapshot"))
    apps.get_model("metric", "TrainingRun").objects.update(study=Subquery(snapshots.values("study")))


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0007_codecs_added_later"),
        ("metric", "0003_rules_for_retraining"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="study",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="training_runs",
                to="annotation.study",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

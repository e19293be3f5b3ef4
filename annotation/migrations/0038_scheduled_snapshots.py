from django.db import migrations, models


def mark_scheduled(apps, schema_editor):
    """Of the earlier ones only those without a person can have been made by a schedule."""
    apps.get_model("annotation", "Snapshot").objects.filter(created_by=None).update(scheduled=True)


class Migration(migrations.Migration):
    """Which snapshots a schedule made: those of a person lost the person with the account."""

    dependencies = [
        ("annotation", "0037_snapshot_removed_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="scheduled",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Made by a schedule; one that a person made stays theirs without their account.",
            ),
        ),
        migrations.RunPython(mark_scheduled, migrations.RunPython.noop),
    ]

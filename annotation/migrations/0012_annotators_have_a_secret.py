"""A secret for each annotator: their id, which exports have printed, opens nothing any more."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import annotation.models.study

HELP = "Who knows it is the annotator; the id, which is printed, opens nothing."


def give_keys(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Everybody a key of their own."""
    Annotator = apps.get_model("annotation", "Annotator")
    rows = list(Annotator.objects.filter(key=None).only("pk"))
    for row in rows:
        row.key = annotation.models.study.new_key()
    Annotator.objects.bulk_update(rows, ["key"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0011_what_a_study_says_of_its_sources")]

    operations = [
        migrations.AddField(
            "annotator", "key", models.CharField(max_length=32, null=True, editable=False, help_text=HELP)
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
        migrations.AlterField(
            "annotator",
            "key",
            models.CharField(
                max_length=32,
                unique=True,
                default=annotation.models.study.new_key,
                editable=False,
                help_text=HELP,
            ),
        ),
    ]

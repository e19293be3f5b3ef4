"""Name, licence and attribution go from a source, which studies share, to each study's use of it."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

WORDS = ("name", "licence", "attribution")


def to_uses(apps, schema_editor):
    """Until now every study saw the words of the first upload."""
    source = apps.get_model("annotation", "Source").objects.filter(pk=OuterRef("source"))
    uses = apps.get_model("annotation", "StudySource").objects
    uses.update(**{word: Subquery(source.values(word)[:1]) for word in WORDS})


def to_sources(apps, schema_editor):
    """A source takes the words of its first use."""
    use = apps.get_model("annotation", "StudySource").objects.filter(source=OuterRef("pk")).order_by("pk")
    used = apps.get_model("annotation", "Source").objects.filter(uses__isnull=False)
    used.update(**{word: Subquery(use.values(word)[:1]) for word in WORDS})


class Migration(migrations.Migration):

    dependencies = [
        ("annotation", "0010_worker_processes_and_the_clock"),
    ]

    operations = [
        # The table is there already: it was the bare relation's.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="StudySource",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("study", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="annotation.study")),
                        ("source", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="annotation.source")),
                    ],
                    options={"db_table": "annotation_study_sources", "unique_together": {("study", "source")}},
                ),
                migrations.AlterField(
                    model_name="study",
                    name="sources",
                    field=models.ManyToManyField(blank=True, related_name="studies", through="annotation.StudySource", to="annotation.source"),
                ),
            ],
        ),
        migrations.AlterUniqueTogether(name="studysource", unique_together=set()),
        migrations.AddConstraint(
            model_name="studysource",
            constraint=models.UniqueConstraint(fields=["study", "source"], name="a_study_uses_a_source_once"),
        ),
        migrations.AddField("studysource", "name", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("studysource", "licence", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("studysource", "attribution", models.CharField(blank=True, default="", max_length=500)),
        # Undone, a source without a use has an empty name.
        migrations.AlterField("source", "name", models.CharField(default="", max_length=200)),
        migrations.RunPython(to_uses, to_sources),
        migrations.RemoveField("source", "name"),
        migrations.RemoveField("source", "licence"),
        migrations.RemoveField("source", "attribution"),
    ]

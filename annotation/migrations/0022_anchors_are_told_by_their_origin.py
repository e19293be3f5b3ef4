"""An anchor of a codec is told by its origin, no longer by a bitrate that nobody aims at."""

from decimal import Decimal

from django.db import migrations, models
from django.db.models import Q

BITRATE = Decimal("0.0050")


def to_origin(apps, schema_editor):
    rows = apps.get_model("annotation", "Reconstruction").objects
    triplets = apps.get_model("annotation", "Triplet").objects
    coarse = rows.filter(origin="zoo", level=BITRATE)
    of_anchors = Q(first__in=coarse) | Q(second__in=coarse)
    triplets.filter(of_anchors, level=BITRATE).update(level=0)
    coarse.update(origin="coarse", level=0)


def to_bitrate(apps, schema_editor):
    rows = apps.get_model("annotation", "Reconstruction").objects
    triplets = apps.get_model("annotation", "Triplet").objects
    coarse = rows.filter(origin="coarse")
    triplets.filter(Q(first__in=coarse) | Q(second__in=coarse), level=0).update(level=BITRATE)
    coarse.update(origin="zoo", level=BITRATE)


class Migration(migrations.Migration):

    dependencies = [
        ("annotation", "0021_studies_are_planned_by_workers"),
    ]

    operations = [
        migrations.AlterField("reconstruction", "origin", models.CharField(choices=[("zoo", "Zoo"), ("own", "Own"), ("original", "Original"), ("coarse", "Coarse"), ("damaged", "Damaged")], default="zoo", max_length=8)),
        migrations.AlterField("reconstruction", "level", models.DecimalField(decimal_places=4, help_text="The target bpp of a codec of the zoo; one's own number for pictures of one's own; 0 for others.", max_digits=7)),
        migrations.RunPython(to_origin, to_bitrate),
        migrations.AddConstraint(
            model_name="reconstruction",
            constraint=models.UniqueConstraint(condition=models.Q(("origin", "coarse")), fields=("source", "method"), name="one_coarse_picture_per_source_and_codec"),
        ),
    ]

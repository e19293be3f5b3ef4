from django.db import migrations, models


class Migration(migrations.Migration):
    """An index for whether an annotator has seen a triplet: the look-up grew with the triplet's answers."""

    dependencies = [
        ("annotation", "0035_bits_per_pixel"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(fields=["annotator", "triplet"], name="assignment_of_triplet"),
        ),
    ]

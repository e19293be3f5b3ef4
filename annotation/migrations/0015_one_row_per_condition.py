"""What makes a reconstruction the same as another: codec and target, the picture itself, or that it is the original."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("annotation", "0014_pictures_made_elsewhere")]

    operations = [
        migrations.AddConstraint(
            "reconstruction",
            models.UniqueConstraint(
                condition=Q(origin="zoo"),
                fields=("source", "method", "level"),
                name="one_reconstruction_per_source_codec_and_bitrate",
            ),
        ),
        migrations.AddConstraint(
            "reconstruction",
            models.UniqueConstraint(
                condition=Q(origin="own"),
                fields=("source", "method", "level", "sha256"),
                name="one_row_per_picture_of_ones_own",
            ),
        ),
        migrations.AddConstraint(
            "reconstruction",
            models.UniqueConstraint(
                condition=Q(origin="original"), fields=("source",), name="one_original_side_per_source"
            ),
        ),
        migrations.AddConstraint(
            "reconstruction",
            models.CheckConstraint(
                condition=~Q(state="done")
                | (~Q(sha256="") & ~Q(image="") & (Q(bpp__isnull=False) | ~Q(origin="zoo"))),
                name="a_done_reconstruction_has_its_pixels",
            ),
        ),
        migrations.AddConstraint(
            "reconstruction",
            models.CheckConstraint(
                condition=Q(origin="original", method="original", level=0)
                | (~Q(origin="original") & ~Q(method="original")),
                name="only_the_original_is_called_so",
            ),
        ),
    ]

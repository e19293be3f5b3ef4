"""A reconstruction stands for a condition: a method at a level. Its codec and target were the only ones so far."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0012_annotators_have_a_secret")]

    operations = [
        migrations.RemoveConstraint("reconstruction", "one_reconstruction_per_source_codec_and_target"),
        migrations.RemoveConstraint("reconstruction", "a_done_reconstruction_is_whole"),
        migrations.RenameField("reconstruction", "codec", "method"),
        migrations.RenameField("reconstruction", "target_bpp", "level"),
        migrations.RenameField("triplet", "target_bpp", "level"),
        migrations.AlterField(
            "reconstruction",
            "method",
            models.CharField(
                max_length=40,
                help_text="A codec of the zoo, the name of a method of one's own, or original.",
            ),
        ),
        migrations.AlterField(
            "reconstruction",
            "level",
            models.DecimalField(
                max_digits=7,
                decimal_places=4,
                help_text="The target bpp of a codec of the zoo; one's own number for pictures of one's own; 0: original.",
            ),
        ),
        migrations.AddField(
            "reconstruction",
            "origin",
            models.CharField(
                choices=[("zoo", "Zoo"), ("own", "Own"), ("original", "Original")], default="zoo", max_length=8
            ),
        ),
        migrations.AddField(
            "study",
            "own_pictures",
            models.ManyToManyField(
                blank=True,
                help_text="Pictures that no codec of the zoo made.",
                related_name="studies",
                to="annotation.reconstruction",
            ),
        ),
        migrations.AddField(
            "study",
            "listed_pairs",
            models.JSONField(
                blank=True,
                default=list,
                help_text="Pairs named one by one, a line each: annotation.core.pairing.",
            ),
        ),
        migrations.AlterField(
            "triplet",
            "level",
            models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="Of both sides, or of the one beside the original; empty for a pair across levels.",
                max_digits=7,
                null=True,
            ),
        ),
        migrations.AlterField(
            "triplet",
            "kind",
            models.CharField(
                help_text="Kinds of both sides: classical-learned, original-own, …", max_length=40
            ),
        ),
    ]

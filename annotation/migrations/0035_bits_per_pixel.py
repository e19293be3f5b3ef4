from django.db import migrations, models


class Migration(migrations.Migration):
    """The help of two columns, which hold bits per pixel, not bytes."""

    dependencies = [
        ("annotation", "0034_help_in_plain_english"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reconstruction",
            name="bpp",
            field=models.FloatField(blank=True, help_text="Bits per pixel of the whole file.", null=True),
        ),
        migrations.AlterField(
            model_name="reconstruction",
            name="payload_bpp",
            field=models.FloatField(blank=True, help_text="Bits per pixel without the container.", null=True),
        ),
    ]

from typing import Any

from django.db import migrations


def forget_zeros(apps: Any, schema_editor: Any) -> None:
    """Imported pictures without a file of a codec were stored with 0 bits per pixel, which is not what they had."""
    rows = apps.get_model("annotation", "Reconstruction").objects
    rows.filter(origin="own", file_bytes=None, bpp=0).update(bpp=None)


class Migration(migrations.Migration):
    """A rate that is not known is NULL. On the way back the rows stay: NULL was always allowed."""

    dependencies = [
        ("annotation", "0038_scheduled_snapshots"),
    ]

    operations = [
        migrations.RunPython(forget_zeros, migrations.RunPython.noop),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """When the rule for old snapshots removed the archive of one."""

    dependencies = [
        ("annotation", "0036_index_of_seen_triplets"),
    ]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="removed_at",
            field=models.DateTimeField(
                blank=True, help_text="When the rule for old snapshots removed the archive.", null=True
            ),
        ),
    ]

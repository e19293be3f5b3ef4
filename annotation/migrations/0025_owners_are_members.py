"""A study's owners are members of it; the column had room for one."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("annotation", "0024_whoever_could_work_on_a_study_still_can")]

    operations = [migrations.RemoveField("study", "owner")]

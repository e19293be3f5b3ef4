"""One run at a time in each study, where it was one in all. In a transaction of its own: Postgres wants the rows
filled before their column is tightened."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metric", "0004_runs_know_their_study")]

    operations = [
        migrations.AlterField(
            model_name="trainingrun",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="training_runs",
                to="annotation.study",
            ),
        ),
        migrations.RemoveConstraint(model_name="trainingrun", name="one_training_run_at_a_time"),
        migrations.AddConstraint(
            model_name="trainingrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")),
                fields=("study",),
                name="one_training_run_of_a_study_at_a_time",
            ),
        ),
    ]

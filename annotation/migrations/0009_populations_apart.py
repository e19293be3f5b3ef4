"""Counters of simulated annotators beside those of people, who shared them before."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Count, Exists, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

COUNTERS = ("served", "lefts", "votes")


def count_apart(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Takes what is simulated out of the common counters, in two statements, whatever the size of the table."""
    Assignment, Enrolment, Judgment, Triplet = (
        apps.get_model("annotation", name) for name in ("Assignment", "Enrolment", "Judgment", "Triplet")
    )
    out = Enrolment.objects.filter(study=OuterRef("study"), annotator=OuterRef("annotator"))
    votes = Judgment.objects.filter(triplet=OuterRef("pk"), simulated=True, counted=True)
    votes = votes.filter(~Exists(out.exclude(excluded_by="")))
    leased = Assignment.objects.filter(
        triplet=OuterRef("pk"), kind="pair", warm_up=False, state="leased", annotator__simulated=True
    )
    on_left = votes.filter(assignment__first_on_left=True)
    touched = Triplet.objects.filter(Exists(votes) | Exists(leased))
    pks = list(touched.values_list("pk", flat=True))
    for start in range(0, len(pks), 500):
        rows = Triplet.objects.filter(pk__in=pks[start : start + 500])
        rows.update(
            simulated_votes=_count(votes),
            simulated_served=_count(votes) + _count(leased),
            simulated_lefts=_count(on_left) + _count(leased.filter(first_on_left=True)),
        )
        left = {name: Greatest(F(name) - F(f"simulated_{name}"), 0) for name in COUNTERS}
        rows.update(**left)


def count_together(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back: one counter for both."""
    Triplet = apps.get_model("annotation", "Triplet")
    sums = {name: F(name) + F(f"simulated_{name}") for name in COUNTERS}
    Triplet.objects.filter(simulated_served__gt=0).update(**sums)


def _count(rows: QuerySet) -> Coalesce:  # type: ignore[type-arg]
    counted = rows.order_by().values("triplet").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _zero(name: str) -> migrations.AddField:
    return migrations.AddField("triplet", name, models.PositiveIntegerField(default=0))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0008_session_is_the_word")]

    operations = [
        *(_zero(f"simulated_{name}") for name in COUNTERS),
        migrations.AlterField(
            "triplet",
            "served",
            models.PositiveIntegerField(
                default=0,
                help_text="People's votes and live leases that will be votes: no warm-up, no checks.",
            ),
        ),
        migrations.AlterField(
            "triplet", "votes", models.PositiveIntegerField(default=0, help_text="People's judgments that count.")
        ),
        migrations.RunPython(count_apart, count_together),
        migrations.AddIndex(
            "triplet",
            models.Index(
                fields=["study", "role", "simulated_served", "shuffle"], name="triplet_fewest_simulated"
            ),
        ),
        migrations.AddIndex(
            "triplet", models.Index(fields=["study", "role", "simulated_votes"], name="triplet_unsimulated")
        ),
        migrations.AddConstraint(
            "triplet",
            models.CheckConstraint(
                condition=models.Q(simulated_votes__lte=models.F("simulated_served")),
                name="a_simulated_vote_was_served",
            ),
        ),
    ]

"""Counts, for triplets from before, how often the first reconstruction stood on the left."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count_lefts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """In one statement, whatever the size of the table."""
    Assignment, Triplet = (apps.get_model("annotation", name) for name in ("Assignment", "Triplet"))
    on_left = (
        Assignment.objects.filter(
            triplet=OuterRef("pk"), first_on_left=True, state__in=["leased", "answered"], kind="pair"
        )
        .order_by()
        .values("triplet")
        .annotate(count=Count("pk"))
        .values("count")
    )
    Triplet.objects.filter(served__gt=0).update(lefts=Coalesce(Subquery(on_left), 0))


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_sides_served_and_orders_to_serve_in")]

    operations = [migrations.RunPython(count_lefts, migrations.RunPython.noop)]

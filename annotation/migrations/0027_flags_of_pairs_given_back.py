"""A flag for each pair that was given back before there were flags; none of them is settled."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CAUSES = ("image_failed", "too_small", "flagged")
AT_ONCE = 2000


def raise_flags(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The cause was one line: a word, the slot, and the annotator's words."""
    Assignment, Flag = (apps.get_model("annotation", name) for name in ("Assignment", "Flag"))
    given_back = Assignment.objects.filter(state="skipped", flag=None).order_by("pk")
    flags = []
    for row in given_back.iterator(chunk_size=AT_ONCE):
        first, _, rest = row.skip_cause.partition(" ")
        known = first in CAUSES
        flags.append(
            Flag(
                assignment_id=row.pk,
                study_id=row.study_id,
                triplet_id=row.triplet_id,
                cause=first if known else "other",
                detail=rest if known else row.skip_cause,
                raised_at=row.issued_at,
            )
        )
    Flag.objects.bulk_create(flags, batch_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0026_questionnaires_flags_and_returns")]

    operations = [migrations.RunPython(raise_flags, migrations.RunPython.noop)]

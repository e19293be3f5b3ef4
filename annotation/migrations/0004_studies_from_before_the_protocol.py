"""Studies that were made before there was a protocol asked for nothing but pairs; who judged them was let in."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, Min

# annotation.core.protocol.Protocol.bare() as it was when this was written.
NOTHING_BUT_PAIRS: dict[str, Any] = {
    "consent": False,
    "screen_check": "skip",
    "brightness": "skip",
    "colour_vision": "skip",
    "acuity": "skip",
    "training_pairs": 0,
    "training_pass": 0,
    "warm_up": 0,
    "break_every": 0,
    "sitting_minutes": 240,
    "sentinel_percent": 0.0,
    "identical_percent": 0.0,
    "repeat_percent": 0.0,
}


def let_in(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keeps what older studies promised, and gives everybody who judged an enrolment."""
    Study, Session, Enrolment = (
        apps.get_model("annotation", name) for name in ("Study", "Session", "Enrolment")
    )
    Study.objects.update(protocol=NOTHING_BUT_PAIRS)
    Session.objects.update(ready_at=F("started_at"))
    sat = Session.objects.values("study_id", "annotator_id").annotate(since=Min("started_at"))
    Enrolment.objects.bulk_create(
        (Enrolment(study_id=row["study_id"], annotator_id=row["annotator_id"]) for row in sat.iterator()),
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("annotation", "0003_protocol_enrolment_and_checks")]

    operations = [migrations.RunPython(let_in, migrations.RunPython.noop)]

"""Imported pictures become pictures of one's own, in the studies that show them; no row goes."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TOGETHER = 500


def mark_own(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rows that an import wrote are the study's own pictures; its lists of codecs and bitrates were theirs alone."""
    Reconstruction, Study = (apps.get_model("annotation", name) for name in ("Reconstruction", "Study"))
    imported = Reconstruction.objects.filter(operating_point__has_key="imported")
    imported.update(origin="own")
    Reconstruction.objects.filter(origin="own", method="original").update(method="original file")
    # There from an earlier time at this step, if any are.
    Reconstruction.objects.filter(origin="zoo", method="original", level=0).update(origin="original", bpp=None)
    _keep_shown(apps)
    Study.objects.exclude(origin="").update(codecs=[], target_bpps=[])


def _keep_shown(apps: Apps) -> None:
    Study, Triplet = (apps.get_model("annotation", name) for name in ("Study", "Triplet"))
    Through = Study.own_pictures.through
    pairs = set()
    for side in ("first", "second"):
        rows = Triplet.objects.filter(**{f"{side}__origin": "own"}).order_by()
        pairs |= set(rows.values_list("study_id", f"{side}_id").distinct())
    links = [Through(study_id=study, reconstruction_id=row) for study, row in sorted(pairs)]
    Through.objects.bulk_create(links, ignore_conflicts=True, batch_size=TOGETHER)


def unmark_own(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back: names in the lists of the study, one row for each name, and 0 where a figure was not known."""
    Reconstruction, Study, Triplet = (
        apps.get_model("annotation", name) for name in ("Reconstruction", "Study", "Triplet")
    )
    for study in Study.objects.filter(own_pictures__isnull=False).distinct():
        shown = list(study.own_pictures.values_list("method", "level"))
        study.codecs = sorted({*study.codecs, *(method for method, _ in shown)})
        study.target_bpps = sorted({*study.target_bpps, *(float(level) for _, level in shown)})
        study.save(update_fields=["codecs", "target_bpps"])
    taken = set(Reconstruction.objects.filter(origin="zoo").values_list("source_id", "method", "level"))
    for row in Reconstruction.objects.exclude(origin="zoo").order_by("pk"):
        if (row.source_id, row.method, row.level) in taken:
            row.method = f"{row.method[:31]} {row.sha256[:8]}"
        taken.add((row.source_id, row.method, row.level))
        row.bpp = row.bpp or 0.0
        row.save(update_fields=["method", "bpp"])
    Triplet.objects.filter(level__isnull=True).update(level=0)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0013_conditions")]

    operations = [migrations.RunPython(mark_own, unmark_own)]

"""What the step to conditions does to rows: every one is kept, imported pictures are marked, the way back is open."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation.models import Reconstruction
from tests.kit.factories import make_reconstruction, make_source, make_study, make_triplet

BEFORE = [("annotation", "0012_annotators_have_a_secret")]
AFTER = [("annotation", "0015_one_row_per_condition")]


def migrate(target: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.loader.build_graph()
    return executor.migrate(target).apps


def latest() -> None:
    """All apps: what depends on a migration that was taken back went with it."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_pictures_of_ones_own_go_back_under_their_names_and_come_again() -> None:
    zoo, imported = make_study(), make_study(codecs=[], target_bpps=[], origin="elsewhere", state="closed")
    source = make_source(zoo)
    imported.sources.add(source)
    pair = make_triplet(zoo, source=source)
    fields = {"origin": "own", "operating_point": {"imported": "x.png"}, "sha256": "a" * 64}
    mine = make_reconstruction(source, method="jpeg", **fields, bpp=None)
    other = make_reconstruction(source, method="mine", **fields | {"sha256": "b" * 64})
    imported.own_pictures.add(mine, other)
    own_pair = make_triplet(imported, source=source, first=mine, second=other)
    make_reconstruction(source, method="original", level=0, origin="original", bpp=None)
    count = Reconstruction.objects.count()
    try:
        old = migrate(BEFORE)
        rows = old.get_model("annotation", "Reconstruction").objects
        assert rows.count() == count
        assert rows.get(pk=mine.pk).codec == "jpeg aaaaaaaa"
        assert old.get_model("annotation", "Study").objects.get(pk=imported.pk).codecs == ["jpeg", "mine"]
    finally:
        migrate(AFTER)
        latest()
    assert Reconstruction.objects.count() == count
    assert set(imported.own_pictures.values_list("pk", flat=True)) == {mine.pk, other.pk}
    own_pair.refresh_from_db()
    assert own_pair.first_id == mine.pk
    pair.refresh_from_db()
    assert (pair.first.origin, pair.first.method, float(pair.first.level)) == ("zoo", "jpeg", 0.37)
    imported.refresh_from_db()
    assert (imported.codecs, imported.target_bpps) == ([], [])
    assert not zoo.own_pictures.exists()

"""What upgrades do to rows that are there already, and the way back.

Every scenario is a generator: it makes rows, yields the migration at which it looks at them on the way back, is sent
the models as they were there, yields `LATEST`, and looks at its rows once more after the way forward. To go that way
costs many seconds, nearly all of them Django's for its models' states, so all scenarios go it together, once.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from annotation.models import Assignment, Flag, Reconstruction
from annotation.services.sessions import skip_assignment
from tests.kit.databases import MigratedSqlite
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
    make_user,
)

SHARED_WORDS = "0010_worker_processes_and_the_clock"
BEFORE_CONDITIONS = "0012_annotators_have_a_secret"
BITRATES = "0021_studies_are_planned_by_workers"
BEFORE_FLAGS = "0025_owners_are_members"
BEFORE_SCHEDULED = "0037_snapshot_removed_at"
BEFORE_UNKNOWN_RATES = "0038_scheduled_snapshots"
LATEST = "latest"
OLDEST = SHARED_WORDS

Scenario = Generator[str, Apps, None]


def every_use_of_a_source_gets_the_words_that_the_source_had() -> Scenario:
    studies = [make_study() for _ in range(2)]
    source = make_source(studies[0])
    studies[1].sources.add(source)
    old = yield SHARED_WORDS
    words = {"name": "lighthouse.png", "licence": "CC0", "attribution": "Ada"}
    old.get_model("annotation", "Source").objects.filter(pk=source.pk).update(**words)
    yield LATEST
    for study in studies:
        assert study.uses.values("name", "licence", "attribution").get() == words
        assert study.sources.get() == source


def the_way_back_keeps_the_first_uses_words() -> Scenario:
    studies = [make_study() for _ in range(2)]
    source = make_source(studies[0], name="first.png", licence="CC0")
    studies[1].sources.add(source, through_defaults={"name": "second.png"})
    unused = make_source()
    old = yield SHARED_WORDS
    rows = old.get_model("annotation", "Source").objects.in_bulk()
    assert (rows[source.pk].name, rows[source.pk].licence) == ("first.png", "CC0")
    assert rows[unused.pk].name == ""
    assert {study.pk for study in rows[source.pk].studies.all()} == {study.pk for study in studies}
    yield LATEST


def an_anchor_of_before_is_told_by_its_origin() -> Scenario:
    study = make_study()
    source = make_source(study)
    anchor = make_reconstruction(source, origin="coarse", method="jpeg", level=0)
    other = make_reconstruction(source, method="webp")
    triplet = make_triplet(
        study, source=source, first=anchor, second=other, role="sentinel", known="second", level=0
    )
    old = yield BITRATES
    row = old.get_model("annotation", "Reconstruction").objects.get(pk=anchor.pk)
    assert (row.origin, float(row.level)) == ("zoo", 0.005)
    assert float(old.get_model("annotation", "Triplet").objects.get(pk=triplet.pk).level) == 0.005
    yield LATEST
    anchor.refresh_from_db()
    triplet.refresh_from_db()
    other.refresh_from_db()
    assert (anchor.origin, float(anchor.level), float(triplet.level or 0)) == ("coarse", 0, 0)
    assert other.origin == "zoo"


def a_pair_given_back_before_there_were_flags_has_one() -> Scenario:
    study = make_study()
    for _ in range(3):
        make_triplet(study)
    session = make_session(study)
    for cause, detail in (("flagged", "stripes at the left"), ("the dog barked", "")):
        skip_assignment(
            session=session, assignment_id=make_assignment(session).pk, cause=cause, detail=detail
        )
    make_judgment(session)
    old = yield BEFORE_FLAGS
    assert not [model for model in old.get_models() if model.__name__ == "Flag"]
    yield LATEST
    assert set(Flag.objects.values_list("cause", "detail", "settled_at")) == {
        ("flagged", "stripes at the left", None),
        ("other", "the dog barked", None),
    }
    assert Assignment.objects.count() == 3


def pictures_of_ones_own_go_back_under_their_names_and_come_again() -> Scenario:
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
    count = Reconstruction.objects.filter(source=source).count()
    old = yield BEFORE_CONDITIONS
    rows = old.get_model("annotation", "Reconstruction").objects
    assert rows.filter(source=source.pk).count() == count
    assert rows.get(pk=mine.pk).codec == "jpeg aaaaaaaa"
    assert old.get_model("annotation", "Study").objects.get(pk=imported.pk).codecs == ["jpeg", "mine"]
    yield LATEST
    assert Reconstruction.objects.filter(source=source).count() == count
    assert set(imported.own_pictures.values_list("pk", flat=True)) == {mine.pk, other.pk}
    own_pair.refresh_from_db()
    assert own_pair.first_id == mine.pk
    pair.refresh_from_db()
    assert (pair.first.origin, pair.first.method, float(pair.first.level)) == ("zoo", "jpeg", 0.37)
    imported.refresh_from_db()
    assert (imported.codecs, imported.target_bpps) == ([], [])
    assert not zoo.own_pictures.exists()


def a_snapshot_without_a_person_was_scheduled() -> Scenario:
    study, mara = make_study(), make_user("mara")
    for number, person in enumerate((mara, None), start=1):
        study.snapshots.create(number=number, simulated=False, until=timezone.now(), created_by=person)
    yield BEFORE_SCHEDULED
    yield LATEST
    assert dict(study.snapshots.values_list("created_by", "scheduled")) == {mara.pk: False, None: True}


def only_an_imported_picture_without_a_file_had_a_rate_of_0_that_is_not_known() -> Scenario:
    rates = {"unknown": (None, 0), "given": (None, 0.5), "of a file": (355, 0)}
    study = make_study(codecs=[], target_bpps=[], origin="elsewhere", state="closed")
    fields = {"source": make_source(study), "origin": "own", "operating_point": {"imported": "x.png"}}
    for number, (method, (size, bpp)) in enumerate(rates.items()):
        study.own_pictures.add(
            make_reconstruction(**fields, method=method, file_bytes=size, bpp=bpp, sha256=str(number) * 64)
        )
    old = yield BEFORE_UNKNOWN_RATES
    rows = old.get_model("annotation", "Reconstruction").objects.filter(method__in=rates)
    assert dict(rows.values_list("method", "bpp")) == {name: bpp for name, (_, bpp) in rates.items()}
    yield LATEST
    kept = Reconstruction.objects.filter(method__in=rates).values_list("method", "bpp")
    assert dict(kept) == {"unknown": None, "given": 0.5, "of a file": 0}


SCENARIOS = (
    every_use_of_a_source_gets_the_words_that_the_source_had,
    the_way_back_keeps_the_first_uses_words,
    an_anchor_of_before_is_told_by_its_origin,
    a_pair_given_back_before_there_were_flags_has_one,
    pictures_of_ones_own_go_back_under_their_names_and_come_again,
    a_snapshot_without_a_person_was_scheduled,
    only_an_imported_picture_without_a_file_had_a_rate_of_0_that_is_not_known,
)


@pytest.fixture(autouse=True)
def _put_back(transactional_db: None, migrated_sqlite: MigratedSqlite) -> Iterator[None]:
    """Other tests find every table as the migrations leave it."""
    yield
    migrated_sqlite.put_back()


def test_rows_are_kept_on_the_way_back_and_forward() -> None:
    scenarios = [make() for make in SCENARIOS]
    stops = {scenario: next(scenario) for scenario in scenarios}
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    visited = go_back(stops)
    assert visited == sorted(set(stops.values()), reverse=True)
    MigrationExecutor(connection).migrate(latest)
    for scenario in scenarios:
        assert next(scenario, None) is None


def go_back(stops: dict[Scenario, str]) -> list[str]:
    """To the oldest; each scenario is sent the models of its stop as the tables are there. Returns the stops made."""
    visited: list[str] = []

    def look(action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action == "unapply_success" and migration and migration.app_label == "annotation":
            for stop in parents(migration.dependencies) & set(stops.values()):
                visited.append(stop)
                old = executor.loader.project_state([("annotation", stop)]).apps
                for scenario, its_stop in stops.items():
                    if its_stop == stop:
                        assert scenario.send(old) == LATEST

    executor = MigrationExecutor(connection, look)
    executor.migrate([("annotation", OLDEST)])
    return visited


def parents(dependencies: Iterable[Any]) -> set[str]:
    """The migrations of annotation among them."""
    return {name for app, name in dependencies if app == "annotation"}

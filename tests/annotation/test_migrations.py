"""What upgrades do to rows that are there already, and the way back."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation.models import Assignment, Flag
from annotation.services.sessions import skip_assignment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

SHARED_WORDS = [("annotation", "0010_worker_processes_and_the_clock")]
BEFORE_FLAGS = [("annotation", "0025_owners_are_members")]
BITRATES = [("annotation", "0021_studies_are_planned_by_workers")]


@pytest.fixture
def latest() -> Any:
    """Where the migrations stand now; brought back to there afterwards."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield leaves
    MigrationExecutor(connection).migrate(leaves)


@pytest.mark.django_db(transaction=True)
def test_every_use_of_a_source_gets_the_words_that_the_source_had(latest: Any) -> None:
    studies = [make_study() for _ in range(2)]
    source = make_source(studies[0])
    studies[1].sources.add(source)
    old = MigrationExecutor(connection).migrate(SHARED_WORDS).apps
    words = {"name": "lighthouse.png", "licence": "CC0", "attribution": "Ada"}
    old.get_model("annotation", "Source").objects.filter(pk=source.pk).update(**words)
    MigrationExecutor(connection).migrate(latest)
    for study in studies:
        assert study.uses.values("name", "licence", "attribution").get() == words
        assert study.sources.get() == source


@pytest.mark.django_db(transaction=True)
def test_the_way_back_keeps_the_first_uses_words(latest: Any) -> None:
    studies = [make_study() for _ in range(2)]
    source = make_source(studies[0], name="first.png", licence="CC0")
    studies[1].sources.add(source, through_defaults={"name": "second.png"})
    unused = make_source()
    old = MigrationExecutor(connection).migrate(SHARED_WORDS).apps
    rows = old.get_model("annotation", "Source").objects.in_bulk()
    assert (rows[source.pk].name, rows[source.pk].licence) == ("first.png", "CC0")
    assert rows[unused.pk].name == ""
    assert {study.pk for study in rows[source.pk].studies.all()} == {study.pk for study in studies}


@pytest.mark.django_db(transaction=True)
def test_an_anchor_of_before_is_told_by_its_origin(latest: Any) -> None:
    study = make_study()
    source = make_source(study)
    anchor = make_reconstruction(source, origin="coarse", method="jpeg", level=0)
    other = make_reconstruction(source, method="webp")
    triplet = make_triplet(
        study, source=source, first=anchor, second=other, role="sentinel", known="second", level=0
    )
    old = MigrationExecutor(connection).migrate(BITRATES).apps
    row = old.get_model("annotation", "Reconstruction").objects.get(pk=anchor.pk)
    assert (row.origin, float(row.level)) == ("zoo", 0.005)
    assert float(old.get_model("annotation", "Triplet").objects.get(pk=triplet.pk).level) == 0.005
    MigrationExecutor(connection).migrate(latest)
    anchor.refresh_from_db()
    triplet.refresh_from_db()
    other.refresh_from_db()
    assert (anchor.origin, float(anchor.level), float(triplet.level or 0)) == ("coarse", 0, 0)
    assert other.origin == "zoo"


@pytest.mark.django_db(transaction=True)
def test_a_pair_given_back_before_there_were_flags_has_one(latest: Any) -> None:
    study = make_study()
    for _ in range(3):
        make_triplet(study)
    session = make_session(study)
    for cause, detail in (("flagged", "stripes at the left"), ("the dog barked", "")):
        skip_assignment(
            session=session, assignment_id=make_assignment(session).pk, cause=cause, detail=detail
        )
    make_judgment(session)
    MigrationExecutor(connection).migrate(BEFORE_FLAGS)
    MigrationExecutor(connection).migrate(latest)
    assert set(Flag.objects.values_list("cause", "detail", "settled_at")) == {
        ("flagged", "stripes at the left", None),
        ("other", "the dog barked", None),
    }
    assert Assignment.objects.count() == 3

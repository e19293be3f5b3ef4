"""What upgrades do to rows that are there already, and the way back."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.factories import make_source, make_study

SHARED_WORDS = [("annotation", "0010_worker_processes_and_the_clock")]


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

"""What a claim and an answer read does not grow with the study: every look-up walks an index that narrows it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from annotation.models import Study
from annotation.services.claims import claim_next
from annotation.services.sittings import begin_session
from tests.factories import make_judgment, make_session, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db

# A whole table, or all rows of one study, which may be a million.
GROWS = re.compile(r"SCAN annotation_|SEARCH annotation_\w+ USING .*\(study_id=\?\)$")


@contextmanager
def plans() -> Iterator[list[str]]:
    """How SQLite goes about each statement of the block."""
    steps: list[str] = []

    def explain(
        execute: Callable[..., Any], sql: str, params: Sequence[Any], many: bool, context: dict[str, Any]
    ) -> Any:
        if sql.startswith(("SELECT", "UPDATE")):
            cursor = context["connection"].connection.execute(
                "EXPLAIN QUERY PLAN " + sql.replace("%s", "?"), tuple(params)
            )
            steps.extend(f"{row[3]}" for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield steps


@pytest.fixture
def study() -> Study:
    study = make_study(votes_per_triplet=2)
    for _ in range(3):
        make_triplet(study, source=make_source(study))
    return study


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
def test_no_step_of_a_sitting_walks_the_study(study: Study) -> None:
    session = begin_session(study=study)
    make_judgment(session)
    with plans() as steps:
        begin_session(study=study, annotator_id=session.annotator_id)
        make_judgment(session)
    assert [step for step in steps if "assignment" in step]
    assert not [step for step in steps if GROWS.search(step)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
def test_neither_does_hearing_that_nothing_is_left(study: Study) -> None:
    for session in (make_session(study), make_session(study)):
        for _ in range(3):
            make_judgment(session)
    with plans() as steps:
        claim_next(session=make_session(study))
    assert [step for step in steps if "triplet_unfinished" in step]
    assert not [step for step in steps if GROWS.search(step)]

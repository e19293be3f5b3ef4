"""What a claim and an answer read does not grow with the study: every look-up walks an index that narrows it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from annotation.core.protocol import Protocol
from annotation.models import Study
from annotation.services.sessions import begin_session
from tests.kit.answers import claim_next
from tests.kit.factories import make_judgment, make_session, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db

# A whole table, all rows of one study, which may be a million, or all answers to one triplet; also under the alias of a
# subquery.
GROWS = re.compile(
    r"SCAN (annotation_|U\d)|SEARCH (annotation_\w+ USING .*\(study_id|\w+ USING .*\(triplet_id)=\?\)$"
)


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
def test_no_step_of_a_session_walks_the_study(study: Study) -> None:
    session = begin_session(study=study)
    make_judgment(session)
    with plans() as steps:
        begin_session(study=study, annotator_id=session.annotator_id)
        make_judgment(session)
    assert [step for step in steps if "assignment" in step]
    assert not [step for step in steps if GROWS.search(step)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
def test_checks_walk_the_study_no_more_than_pairs_do() -> None:
    rules = Protocol.bare().replace(
        sentinel_percent=20.0, repeat_percent=20.0, golden_percent=10.0, warm_up=2
    )
    study = make_study(protocol=rules.to_json())
    for number in range(16):
        source = make_source(study)
        make_triplet(study, source=source, known="first" if number % 4 == 0 else "")
        make_triplet(study, source=source, level=1.0, role="sentinel", known="first")
    session = make_session(study)
    with plans() as steps:
        kinds = {make_judgment(session).kind for _ in range(16)}
    assert kinds == {"pair", "sentinel", "repeat", "golden"}
    assert not [step for step in steps if GROWS.search(step)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
@pytest.mark.parametrize("allocation", ["ranking", "uncertain"])
def test_neither_do_claims_by_priority(allocation: str) -> None:
    rules = Protocol.bare().replace(allocation=allocation)
    study = make_study(protocol=rules.to_json())
    for number in range(6):
        make_triplet(study, source=make_source(study), priority=float(number), held_out=number < 2)
    session = make_session(study)
    with plans() as steps:
        served = [make_judgment(session).triplet for _ in range(6)]
    assert [row.priority for row in served if not row.held_out] == [5.0, 4.0, 3.0, 2.0]
    assert not [step for step in steps if GROWS.search(step)]
    walks = [place for place, step in enumerate(steps) if "triplet_by_priority" in step]
    # Two steps are the look-up of what the annotator has seen; a sort of the whole study would be the third.
    assert walks and not [place for place in walks if "TEMP B-TREE" in "".join(steps[place : place + 4])]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
def test_neither_does_hearing_that_nothing_is_left(study: Study) -> None:
    for session in (make_session(study), make_session(study)):
        for _ in range(3):
            make_judgment(session)
    with plans() as steps:
        claim_next(session=make_session(study))
    assert [step for step in steps if "triplet_unfinished" in step]
    assert not [step for step in steps if GROWS.search(step)]

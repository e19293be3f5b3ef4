"""What the pages of people read of a study's judgments: the annotators' own and their pairs', never all."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.models import Judgment, Session
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet


@pytest.fixture
def session(owner: User, client: Client) -> Session:
    """Of somebody whose answers others gave too."""
    client.force_login(owner)
    study = make_triplet().study
    for _ in range(3):
        session = make_session(study)
        make_judgment(session)
    return session


def plans(client: Client, address: str) -> list[str]:
    """How SQLite finds the rows of each query of judgments for the page."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    queries = [query["sql"] for query in captured if 'FROM "annotation_judgment"' in query["sql"]]
    with connection.cursor() as cursor:
        return [str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()) for sql in queries]


@pytest.mark.parametrize("below", ["people/", "people/{}/"])
def test_no_query_reads_all_the_judgments_of_the_study(client: Client, session: Session, below: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres chooses by the rows that it has counted")
    lines = plans(client, f"/studies/{session.study.slug}/{below.format(session.annotator_id)}")
    assert lines
    by_study = [
        plan for plan in lines if "judgment_of_study" in plan or "annotation_judgment_study_id" in plan
    ]
    assert by_study == []


def test_what_somebody_answered_in_another_study_is_not_on_the_page_of_this_one(session: Session) -> None:
    elsewhere = make_judgment(make_session(make_triplet(make_study()).study, annotator=session.annotator))
    given = Judgment.objects.given_by(session.study, session.annotator_id)
    assert given.get().study == session.study
    assert Judgment.objects.given_by(elsewhere.study, session.annotator_id).get() == elsewhere

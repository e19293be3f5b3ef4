"""The pairs of a study: filtered, ordered, counted, as CSV."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, Enrolment, Flag, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.reports.pairs import COMPUTED
from annotation.services.annotator_quality import exclude_by_hand
from annotation.views.pairs import PAIRS_A_PAGE
from tests.annotation.views.test_results import joined_study
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def pairs(client: Client, study: Study, **query: str) -> list[int]:
    """The ids of the pairs on a page."""
    page = client.get(reverse("study-pairs", args=[study.slug]), query)
    rows = [pair.pk for pair, _ in page.context["page"].rows]
    assert page.context["total"] == len(rows)
    return rows


@pytest.fixture
def study() -> Study:
    return make_study(votes_per_triplet=2)


def test_pairs_across_levels_are_shown_with_the_level_of_each_side(owner_client: Client) -> None:
    study = joined_study()
    across = list(study.triplets.filter(level=None).order_by("pk").values_list("pk", flat=True))
    assert len(across) == 12 and pairs(owner_client, study, level="across") == across
    page = owner_client.get(reverse("study-pairs", args=[study.slug]), {"level": "across"}).content.decode()
    assert "at 0.37 bpp, " in page and "at 1.00 bpp, " in page


def test_filters_narrow_and_are_counted(owner_client: Client, study: Study) -> None:
    ape = make_triplet(study, source=make_source(study, name="ape"))
    source = make_source(study, name="cat")
    cat = make_triplet(
        study,
        source=source,
        level=1.0,
        first=make_reconstruction(source, method="avif", level=as_decimal(1.0)),
        second=make_reconstruction(source, method="webp", level=as_decimal(1.0)),
    )
    Triplet.objects.filter(pk=cat.pk).update(known="first")
    assert pairs(owner_client, study) == [ape.pk, cat.pk]
    assert pairs(owner_client, study, photograph="AP") == [ape.pk]
    assert pairs(owner_client, study, method="avif") == [cat.pk]
    assert pairs(owner_client, study, method="webp") == [ape.pk, cat.pk]
    assert pairs(owner_client, study, level="1") == [cat.pk]
    assert pairs(owner_client, study, level="dog") == []
    assert all(pairs(owner_client, study, level=level) == [] for level in ("nan", "inf", "99999"))
    assert pairs(owner_client, study, known="1") == [cat.pk]
    result = owner_client.get(reverse("study-pairs", args=[study.slug]), {"photograph": "none such"})
    assert "No pair matches" in result.content.decode()


def test_votes_filter_and_order(owner_client: Client, study: Study) -> None:
    first, second, third = (make_triplet(study) for _ in range(3))
    Triplet.objects.filter(pk=first.pk).update(votes=1, served=1)
    Triplet.objects.filter(pk=third.pk).update(votes=2, served=2)
    assert pairs(owner_client, study, votes="none") == [second.pk]
    assert pairs(owner_client, study, votes="some") == [first.pk, third.pk]
    assert pairs(owner_client, study, votes="all") == [third.pk]
    assert pairs(owner_client, study, order="most") == [third.pk, first.pk, second.pk]
    assert pairs(owner_client, study, order="fewest") == [second.pk, first.pk, third.pk]


def judged(study: Study, *choices: str) -> Triplet:
    """A pair with these answers of people, in terms of its sides; those before it have all their votes."""
    triplet = make_triplet(study)
    for choice in choices:
        session = make_session(study)
        pair = make_assignment(session)
        assert pair.triplet == triplet
        answer = "left" if (choice == "first") is pair.first_on_left else "right"
        record_judgment(
            session=session,
            judgment_id=uuid.uuid4(),
            assignment_id=pair.pk,
            answer="tie" if choice == "tie" else answer,
            timing=make_timing(),
        )
    return triplet


def test_the_most_divided_pairs_come_first(owner_client: Client) -> None:
    study = make_study(votes_per_triplet=4, allow_ties=True)
    agreed = judged(study, *["first"] * 4)
    leaning = judged(study, "first", "first", "first", "second")
    split = judged(study, "first", "first", "second", "second")
    doubtful = judged(study, "first", "first", "first", "tie")
    alone = judged(study, "tie")
    in_turn = [split.pk, leaning.pk, doubtful.pk, alone.pk, agreed.pk]
    assert pairs(owner_client, study, order="divided") == in_turn
    # Whoever is excluded divides nobody.
    for judgment in split.judgments.filter(choice="second"):
        enrolment = Enrolment.objects.get(study=study, annotator=judgment.annotator_id)
        exclude_by_hand(enrolment=enrolment, reason="a colleague", by="ada")
    assert pairs(owner_client, study, order="divided")[:2] == [leaning.pk, doubtful.pk]


def test_pairs_are_ordered_by_their_flags(owner_client: Client, study: Study) -> None:
    plain, flagged = make_triplet(study), make_triplet(study)
    session = make_session(study)
    pair = Assignment.objects.create(
        study=study, session=session, annotator=session.annotator, triplet=flagged, position=1,
        first_on_left=True, expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    Flag.objects.create(study=study, triplet=flagged, assignment=pair, cause=Flag.Cause.FLAGGED)
    assert pairs(owner_client, study, order="flagged") == [flagged.pk, plain.pk]
    page = owner_client.get(reverse("study-pairs", args=[study.slug])).content.decode()
    assert page.count("1 flag<") == 1
    table = owner_client.get(reverse("study-pairs-csv", args=[study.slug]))
    rows = list(csv.DictReader(io.StringIO(b"".join(table.streaming_content).decode())))
    assert [(int(row["pair"]), row["flags"]) for row in rows] == [(plain.pk, "0"), (flagged.pk, "1")]


@pytest.mark.parametrize("order", ["made", "most", "fewest", "divided", "flagged"])
def test_every_order_comes_a_page_at_a_time_without_a_gap(
    owner_client: Client, study: Study, order: str
) -> None:
    source = make_source(study)
    first = make_reconstruction(source, method="jpeg")
    for n in range(PAIRS_A_PAGE + 5):
        other = make_reconstruction(source, method="webp", level=as_decimal(0.37 + n / 100))
        triplet = make_triplet(study, source=source, first=first, second=other)
        Triplet.objects.filter(pk=triplet.pk).update(votes=n % 3, served=3)
    seen: list[Triplet] = []
    after: str | None = ""
    while after is not None:
        query = {"order": order} | ({"after": after} if after else {})
        page = owner_client.get(reverse("study-pairs", args=[study.slug]), query).context["page"]
        seen += [pair for pair, _ in page.rows]
        after = page.next
    assert len(seen) == len({pair.pk for pair in seen}) == PAIRS_A_PAGE + 5
    votes = [pair.votes for pair in seen]
    assert order not in ("most", "fewest") or votes == sorted(votes, reverse=order == "most")


def test_the_table_is_a_csv_with_the_votes_of_each_population(owner_client: Client, study: Study) -> None:
    triplet = make_triplet(study, source=make_source(study, name="ape"))
    make_judgment(make_session(study))
    make_judgment(make_session(study, simulated=True))
    answer = owner_client.get(reverse("study-pairs-csv", args=[study.slug]))
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert (row["photograph"], row["first_method"], row["second_method"]) == ("ape", "jpeg", "webp")
    assert int(row["people_first"]) + int(row["people_second"]) == 1
    assert int(row["simulated_first"]) + int(row["simulated_second"]) == 1
    assert row["first_bpp"] == str(triplet.first.bpp)
    none = owner_client.get(reverse("study-pairs-csv", args=[study.slug]), {"photograph": "dog"})
    assert b"".join(none.streaming_content).decode().count("\n") == 1


@pytest.mark.parametrize("order", COMPUTED)
def test_a_computed_order_is_sorted_without_what_only_the_page_shows(
    owner_client: Client, study: Study, order: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = owner_client.get(reverse("study-pairs", args=[study.slug]), {"order": order}).context["page"]
    (sorts,) = [q["sql"] for q in queries if "LIMIT 51" in q["sql"] and "JOIN" not in q["sql"]]
    assert "source_name" not in sorts
    assert {row.pk for row, _ in page.rows} == set(
        study.triplets.filter(role="pair").values_list("pk", flat=True)
    )

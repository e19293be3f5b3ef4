"""The pairs of a study: filtered, ordered, counted, as CSV."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.views.pairs import PAIRS_A_PAGE
from tests.annotation.views.test_results import joined_study
from tests.factories import (
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
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
    assert "at 0.37, " in page and "at 1, " in page


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
    assert pairs(owner_client, study, known="1") == [cat.pk]
    found = owner_client.get(reverse("study-pairs", args=[study.slug]), {"photograph": "none such"})
    assert "No pair of this study is so" in found.content.decode()


def test_votes_filter_and_order(owner_client: Client, study: Study) -> None:
    first, second, third = (make_triplet(study) for _ in range(3))
    Triplet.objects.filter(pk=first.pk).update(votes=1, served=1)
    Triplet.objects.filter(pk=third.pk).update(votes=2, served=2)
    assert pairs(owner_client, study, votes="none") == [second.pk]
    assert pairs(owner_client, study, votes="some") == [first.pk, third.pk]
    assert pairs(owner_client, study, votes="all") == [third.pk]
    assert pairs(owner_client, study, order="most") == [third.pk, first.pk, second.pk]
    assert pairs(owner_client, study, order="fewest") == [second.pk, first.pk, third.pk]


@pytest.mark.parametrize("order", ["made", "most", "fewest"])
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
    assert order == "made" or votes == sorted(votes, reverse=order == "most")


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

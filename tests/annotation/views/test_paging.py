"""A page whose rows are read in two queries is that of the first, whatever is answered between them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import RequestFactory

from annotation.models import Triplet
from annotation.views.paging import Page, page_by_column
from tests.kit.factories import make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture
def triplets() -> list[Triplet]:
    """Three pairs, that were served once, twice and three times."""
    study = make_study()
    made = [make_triplet(study, source=make_source(study)) for _ in range(3)]
    for served, triplet in enumerate(made, 1):
        Triplet.objects.filter(pk=triplet.pk).update(served=served)
    return made


def first_page(while_reading: Callable[[], object], *, after: str = "") -> Page:
    """The two pairs served most, or those after; `while_reading` is done after the first query."""
    done: list[str] = []

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        result = execute(sql, params, many, context)
        if not done:
            done.append(sql)
            while_reading()
        return result

    rows = Triplet.objects.annotate(shared=F("served"))
    with connection.execute_wrapper(between):
        return page_by_column(
            RequestFactory().get("/", {"after": after}),
            rows,
            "shared",
            size=2,
            descending=True,
            keys_first=True,
        )


def test_an_answer_between_the_queries_moves_no_row_and_leaves_the_next_page(triplets: list[Triplet]) -> None:
    one, two, three = triplets
    page = first_page(lambda: Triplet.objects.filter(pk=three.pk).update(served=0))
    assert ([row.pk for row in page.rows], page.next) == ([three.pk, two.pk], f"2,{two.pk}")


def test_a_row_that_goes_away_meanwhile_does_not_make_it_the_last_page(triplets: list[Triplet]) -> None:
    one, two, three = triplets
    page = first_page(lambda: Triplet.objects.filter(pk=two.pk).delete())
    assert ([row.pk for row in page.rows], page.next) == ([three.pk], f"2,{two.pk}")


def test_a_row_that_moves_to_an_earlier_page_meanwhile_stays_on_its_own(triplets: list[Triplet]) -> None:
    one, two, three = triplets
    page = first_page(lambda: Triplet.objects.filter(pk=one.pk).update(served=9), after=f"3,{three.pk}")
    assert [row.pk for row in page.rows] == [two.pk, one.pk]

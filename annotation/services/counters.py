"""A triplet's counters, recomputed from the rows that they count."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation.models import Assignment, Judgment, Triplet
from annotation.models.triplet import counter

AT_ONCE = 500


def recount(*, triplets: Iterable[int]) -> None:
    """Sets the counters of both populations right for these triplets: call it when judgments no longer count.

    A vote that no longer counts, because its annotator was excluded or erased, is collected again.
    """
    pks = sorted(set(triplets))
    for start in range(0, len(pks), AT_ONCE):
        _recount(pks[start : start + AT_ONCE])


@transaction.atomic
def _recount(pks: list[int]) -> None:
    rows = Triplet.objects.filter(pk__in=pks).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))  # one lock order everywhere
    rows.order_by().update(**counts(simulated=False), **counts(simulated=True))


def counts(*, simulated: bool) -> dict[str, Any]:
    """The right values of the counters of a population, by column."""
    votes = Judgment.objects.filter(triplet=OuterRef("pk")).of_population(simulated=simulated).counted()
    leased = Assignment.objects.filter(
        triplet=OuterRef("pk"),
        kind=Assignment.Kind.PAIR,
        warm_up=False,
        state=Assignment.State.LEASED,
        annotator__simulated=simulated,
    )
    on_left = {"assignment__first_on_left": True}
    return {
        counter("votes", simulated=simulated): _count(votes),
        counter("served", simulated=simulated): _count(votes) + _count(leased),
        counter("lefts", simulated=simulated): _count(votes.filter(**on_left))
        + _count(leased.filter(first_on_left=True)),
    }


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("triplet").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

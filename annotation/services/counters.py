"""What a triplet's counters say, counted anew from the rows that they stand for."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotation.models import Assignment, Judgment, Triplet
from annotation.models.triplet import counter

AT_ONCE = 500


def recount(*, triplets: Iterable[int]) -> None:
    """Sets the counters of both populations right for these triplets: call it after judgments stopped counting.

    A vote that does not count any more, because its annotator was left out or forgotten, is asked for again.
    """
    pks = sorted(set(triplets))
    for start in range(0, len(pks), AT_ONCE):
        _recount(pks[start : start + AT_ONCE])


@transaction.atomic
def _recount(pks: list[int]) -> None:
    rows = Triplet.objects.filter(pk__in=pks).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))  # one order of locks for everybody
    rows.order_by().update(**counts(simulated=False), **counts(simulated=True))


def counts(*, simulated: bool) -> dict[str, Any]:
    """What the counters of a population should say, by column."""
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

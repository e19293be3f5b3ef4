"""The pairs of a study with their votes: filtered, ordered, and as the rows of a table."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Least

from annotation.core.conditions import LARGEST_LEVEL
from annotation.models import Enrolment, Flag, Judgment, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.models.triplet import TripletQuerySet

# By name: the column that orders them before their id, and whether the largest come first.
ORDERS = {
    "made": ("As made", "pk", False),
    "most": ("Most votes", "votes", True),
    "fewest": ("Fewest votes", "votes", False),
    "divided": ("People most divided", "division", True),
    "flagged": ("Most flags", "flag_count", True),
}
# The orders whose column is computed from other rows.
COMPUTED = ("divided", "flagged")
ACROSS = "across"
PAIRS_AT_ONCE = 500
CSV_COLUMNS = (
    *("pair", "photograph", "source_sha256", "level"),
    *(f"{side}_{what}" for side in ("first", "second") for what in ("method", "level", "bpp", "psnr")),
    *(f"{whose}_{what}" for whose in ("people", "simulated") for what in ("first", "second", "tie")),
    "known",
    "flags",
)
# What of it is a value of the pair; the votes stand between the pictures and the expert's answer.
_CSV_VALUES = (
    *("pk", "source", "source__sha256", "level"),
    *(f"{side}__{what}" for side in ("first", "second") for what in ("method", "level", "bpp", "psnr")),
    "known",
)


@dataclass(frozen=True)
class Votes:
    """Votes of one population for one pair."""

    simulated: bool
    first: int = 0
    second: int = 0
    tie: int = 0


@dataclass(frozen=True)
class PairFilter:
    """Which pairs are looked at; "" stands for all. `level` is a number or ACROSS; `votes` "none", "some" or "all"."""

    photograph: str = ""
    method: str = ""
    level: str = ""
    votes: str = ""
    known: str = ""

    def apply(self, study: Study) -> QuerySet[Triplet]:
        """The pairs of the study that it lets through, with their pictures and the names of their photographs."""
        pairs = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR)
        if self.known:
            pairs = pairs.golden(study)
        if self.photograph:
            pairs = pairs.filter(
                source__in=study.uses.filter(name__icontains=self.photograph).values("source")
            )
        if self.method:
            pairs = pairs.filter(Q(first__method=self.method) | Q(second__method=self.method))
        if self.level == ACROSS:
            pairs = pairs.filter(level=None)
        elif self.level:
            pairs = pairs.filter(level=_level(self.level))
        return self._by_votes(pairs, study).with_images().with_source_names()

    def _by_votes(self, pairs: TripletQuerySet, study: Study) -> TripletQuerySet:
        if self.votes == "none":
            return pairs.filter(votes=0)
        if self.votes == "some":
            return pairs.filter(votes__gt=0)
        return pairs.filter(votes__gte=study.votes_per_triplet) if self.votes == "all" else pairs


def _level(words: str) -> Any:
    """The level as the database keeps it; one that no pair has for what is not a number."""
    try:
        level = as_decimal(float(words))
    except (ValueError, ArithmeticError):
        return -1
    return level if level.is_finite() and abs(level) <= LARGEST_LEVEL else -1


def with_flag_count(pairs: QuerySet[Triplet]) -> QuerySet[Triplet]:
    """With `flag_count`: how many flags each pair has, settled ones too."""
    flags = Flag.objects.filter(triplet=OuterRef("pk")).order_by().values("triplet").annotate(n=Count("pk"))
    return pairs.annotate(flag_count=Coalesce(Subquery(flags.values("n")), 0))


def in_order(pairs: QuerySet[Triplet], order: str, study: Study) -> QuerySet[Triplet]:
    """With the column that one of ORDERS needs; the page puts them in order."""
    return _with_division(pairs, study) if order == "divided" else pairs


def _with_division(pairs: QuerySet[Triplet], study: Study) -> QuerySet[Triplet]:
    """With `division`: people's votes for the side with fewer of them, twice; an answer of "can't tell" is half each.

    Of pairs with as many votes the one whose people disagree most has the most, and no pair with one vote has any.
    """
    votes = Judgment.objects.filter(counted=True)
    if Enrolment.objects.excluded().filter(study=study).exists():  # looked up for each vote
        votes = votes.counted()
    choices = {f"n_{choice}": Count("pk", filter=Q(choice=choice)) for choice in Judgment.Choice.values}
    tallies = (
        votes.by_people().filter(triplet=OuterRef("pk")).order_by().values("triplet").annotate(**choices)
    )
    halves = tallies.annotate(n=Least(2 * F("n_first") + F("n_tie"), 2 * F("n_second") + F("n_tie"))).values(
        "n"
    )
    fewer = Case(
        When(votes__gte=2, then=Coalesce(Subquery(halves), 0)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return pairs.annotate(division=fewer)


def votes_of(study: Study, triplets: Collection[int]) -> dict[int, list[Votes]]:
    """Votes by triplet of the study, people's before simulated ones."""
    counted: dict[tuple[int, bool], dict[str, int]] = {}
    # In place of `counted()`, which looks the annotator up for every vote.
    out = Enrolment.objects.excluded().filter(study=study).values("annotator")
    votes_that_count = Judgment.objects.filter(triplet__in=triplets, counted=True).exclude(annotator__in=out)
    rows = votes_that_count.values_list("triplet_id", "simulated", "choice")
    for triplet, simulated, choice, count in rows.annotate(count=Count("*")).order_by(
        "triplet_id", "simulated"
    ):
        counted.setdefault((triplet, simulated), {})[choice] = count
    votes: dict[int, list[Votes]] = {}
    for (triplet, simulated), choices in counted.items():
        votes.setdefault(triplet, []).append(Votes(simulated, **choices))
    return votes


def csv_rows(study: Study, pairs: QuerySet[Triplet]) -> Iterator[tuple[Any, ...]]:
    """A row of CSV_COLUMNS for each pair, some at a time: memory does not grow."""
    # The names are few and the rows are many: looked up here, not joined to each.
    names = dict(study.uses.values_list("source", "name"))
    out = list(Enrolment.objects.excluded().filter(study=study).values_list("annotator", flat=True))
    rows = pairs.order_by("pk").values_list(*_CSV_VALUES)
    batch = list(rows[:PAIRS_AT_ONCE])
    while batch:
        pks = [pk for pk, *_ in batch]
        # An index walks a span; a list of ids costs more.
        span = {"triplet__gte": pks[0], "triplet__lte": pks[-1]}
        votes, flags = _tallies(out, **span), _flag_counts(**span)
        for pk, source, *pair, known in batch:
            yield (pk, names.get(source, ""), *pair, *votes.get(pk, _NO_VOTES), known, flags.get(pk, 0))
        batch = list(rows.filter(pk__gt=pks[-1])[:PAIRS_AT_ONCE])


_TALLIES = {
    f"n_{simulated}_{choice}": Count("pk", filter=Q(simulated=simulated, choice=choice))
    for simulated in (False, True)
    for choice in ("first", "second", "tie")
}
_NO_VOTES = (0,) * len(_TALLIES)


def _tallies(out: Collection[UUID], **span: int) -> dict[int, tuple[int, ...]]:
    """By triplet people's votes for the first, the second and neither, then the simulated ones'."""
    rows = Judgment.objects.filter(counted=True, **span)
    if out:
        rows = rows.exclude(annotator__in=out)
    counted = rows.order_by().values("triplet").annotate(**_TALLIES).values_list("triplet", *_TALLIES)
    return {triplet: tuple(votes) for triplet, *votes in counted}


def _flag_counts(**span: int) -> dict[int, int]:
    counted = Flag.objects.filter(**span).order_by().values_list("triplet")
    return dict(counted.annotate(n=Count("pk")))

"""The triplets of a study with their votes, a page at a time."""

from dataclasses import dataclass, replace

from django.db.models import Count
from django.http import HttpRequest

from annotation.models import Judgment, Study, Triplet
from annotation.views.paging import Page, page_by_pk

PAIRS_A_PAGE = 50


@dataclass(frozen=True)
class Votes:
    """Votes of one population for one pair."""

    simulated: bool
    first: int = 0
    second: int = 0
    tie: int = 0


def page_of_pairs(request: HttpRequest, study: Study) -> Page:
    """(triplet, its votes by population), in the order in which they were made; `?known=` shows golden ones alone."""
    triplets = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR).with_images().with_source_names()
    if request.GET.get("known"):
        triplets = triplets.golden(study)
    page = page_by_pk(request, triplets, size=PAIRS_A_PAGE, oldest_first=True)
    votes = votes_of([triplet.pk for triplet in page.rows])
    return replace(page, rows=[(triplet, votes.get(triplet.pk, [])) for triplet in page.rows])


def votes_of(triplets: list[int]) -> dict[int, list[Votes]]:
    """Votes by triplet, people's before simulated ones."""
    counted: dict[tuple[int, bool], dict[str, int]] = {}
    rows = (
        Judgment.objects.filter(triplet__in=triplets)
        .counted()
        .values_list("triplet_id", "simulated", "choice")
    )
    for triplet, simulated, choice, count in rows.annotate(count=Count("*")).order_by(
        "triplet_id", "simulated"
    ):
        counted.setdefault((triplet, simulated), {})[choice] = count
    votes: dict[int, list[Votes]] = {}
    for (triplet, simulated), choices in counted.items():
        votes.setdefault(triplet, []).append(Votes(simulated, **choices))
    return votes

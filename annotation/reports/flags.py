"""The flagged pairs of a study, each with its reports."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.models import Flag, Reconstruction, Study, Triplet


@dataclass(frozen=True)
class FlaggedPair:
    """A pair with its flags, the newest first; `answers`: how many it has that stand."""

    triplet: Triplet
    source_name: str
    flags: Sequence[Flag]
    answers: int

    @property
    def open(self) -> list[Flag]:
        """Those that wait for a researcher."""
        return [flag for flag in self.flags if flag.settled_at is None]

    @property
    def settled(self) -> list[Flag]:
        """The others."""
        return [flag for flag in self.flags if flag.settled_at is not None]

    @property
    def is_pair(self) -> bool:
        """Whether it has votes; a check or a practice pair has none."""
        return self.triplet.role == Triplet.Role.PAIR

    @property
    def is_excluded(self) -> bool:
        """Whether it was taken out of the study."""
        return self.triplet.role == Triplet.Role.EXCLUDED

    @property
    def remakable_sides(self) -> list[tuple[str, Reconstruction]]:
        """The sides that a codec here made, by name."""
        sides = [("first", self.triplet.first), ("second", self.triplet.second)]
        if self.triplet.first_id == self.triplet.second_id:
            sides = sides[:1]
        return [(name, row) for name, row in sides if row.origin not in Reconstruction.OF_STUDIES]


def flagged_triplets(study: Study, *, only_open: bool) -> QuerySet[Triplet]:
    """The pairs that were flagged, or those with a flag that waits."""
    flags = Flag.objects.filter(study=study, triplet=OuterRef("pk"))
    selected = flags.open() if only_open else flags
    # By the study's own rows, which an index has: the other way would look at every pair of the study.
    flagged = Flag.objects.filter(study=study).values("triplet")
    return Triplet.objects.filter(Exists(selected), pk__in=flagged).with_images().with_source_names()


def with_flags(triplets: Sequence[Triplet]) -> list[FlaggedPair]:
    """The same with their flags, in two queries."""
    pks = [triplet.pk for triplet in triplets]
    flags: dict[int, list[Flag]] = defaultdict(list)
    for flag in (
        Flag.objects.filter(triplet__in=pks).select_related("assignment").order_by("-raised_at", "-pk")
    ):
        flags[flag.triplet_id].append(flag)
    stands = Count("judgments", filter=Q(judgments__stands=True))
    answers = dict(Triplet.objects.filter(pk__in=pks).order_by().annotate(n=stands).values_list("pk", "n"))
    return [
        FlaggedPair(row, getattr(row, "source_name", ""), flags[row.pk], answers[row.pk]) for row in triplets
    ]


def flags_as_json(pairs: Sequence[FlaggedPair]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "pair": pair.triplet.pk,
            "photograph": pair.source_name,
            "first": str(pair.triplet.first.condition),
            "second": str(pair.triplet.second.condition),
            "role": pair.triplet.role,
            "answers": pair.answers,
            "flags": [_as_json(flag) for flag in pair.flags],
        }
        for pair in pairs
    ]


def _as_json(flag: Flag) -> dict[str, object]:
    names = ("cause", "detail", "raised_at", "settlement", "settled_at", "settled_by", "note", "outcome")
    return {name: getattr(flag, name) for name in names} | {"annotator": str(flag.assignment.annotator_id)}

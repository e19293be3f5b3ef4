"""Triplets: pairs of reconstructions of one source, as a study asks about them."""

from decimal import Decimal
from operator import attrgetter
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from annotation.core.formats.rows import pair_kind
from annotation.core.pairing import pair_level
from annotation.models.people import Annotator
from annotation.models.stimulus import Reconstruction, Source, StudySource, as_decimal
from annotation.models.study import Study


def counter(name: str, *, simulated: bool) -> str:
    """The column of a triplet that counts "served", "lefts" or "votes" of people, or of simulated annotators."""
    return f"simulated_{name}" if simulated else name


class TripletQuerySet(models.QuerySet["Triplet"]):
    """Reads of triplets."""

    def with_images(self) -> Self:
        """With the rows of the three images."""
        return self.select_related("source", "first", "second")

    def to_serve(self) -> Self:
        """With what a claim needs of them, and no more: counters, role, the known answer, the picture's size."""
        counters = (counter(name, simulated=who) for name in ("served", "lefts") for who in (False, True))
        return self.select_related("source").only(
            "known", "role", *counters, "source__width", "source__height"
        )

    def unfinished(self, study: Study, *, simulated: bool) -> Self:
        """Pairs of the study that one population has not given all its votes yet."""
        votes = counter("votes", simulated=simulated)
        return self.filter(study=study, role="pair", **{f"{votes}__lt": study.votes_per_triplet})

    def unseen_by(self, annotator: Annotator) -> Self:
        """Without those that the annotator has answered, holds or could not be shown.

        The subquery walks an index of annotator and triplet, so its cost does not grow with the study.
        """
        seen = annotator.assignments.filter(triplet=OuterRef("pk")).spent()
        return self.filter(~Exists(seen))

    def open_for(self, annotator: Annotator, study: Study) -> Self:
        """What may be leased to the annotator now, the least served first; people and programs have places apart."""
        served = counter("served", simulated=annotator.simulated)
        return (
            self.filter(study=study, role="pair", **{f"{served}__lt": study.votes_per_triplet})
            .unseen_by(annotator)
            .order_by(served, "shuffle", "pk")
        )

    def open_by_priority(self, annotator: Annotator, study: Study, *, held_out: bool) -> Self:
        """Of what may be leased to a person now, those held out or the others, the highest priority first.

        held_out IN (…), not NOT held_out, and served + 0: otherwise SQLite takes an index that is in another
        order, and sorts the whole study.
        """
        return (
            self.annotate(taken=F("served") + 0)
            .filter(study=study, role="pair", held_out__in=[held_out], taken__lt=study.votes_per_triplet)
            .unseen_by(annotator)
            .order_by("-priority", "served", "shuffle")
        )

    def with_source_names(self) -> Self:
        """With `source_name`, which is what the triplet's study calls its source."""
        return self.annotate(source_name=StudySource.objects.name_here())

    def golden(self, study: Study) -> Self:
        """Pairs of the study with an expert's answer."""
        return self.filter(study=study, role="pair", known__in=["first", "second"])


class Triplet(models.Model):
    """One source and two of its reconstructions, an unordered pair, in one study."""

    class Role(models.TextChoices):
        PAIR = "pair"
        SENTINEL = "sentinel"
        IDENTICAL = "identical"
        TRAINING = "training"
        EXCLUDED = (
            "excluded"  # a pair that a researcher took out: it is not shown, and its votes do not count
        )

    class Known(models.TextChoices):
        FIRST = "first"
        SECOND = "second"

    study = models.ForeignKey("annotation.Study", on_delete=models.PROTECT, related_name="triplets")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="triplets")
    first = models.ForeignKey(Reconstruction, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Reconstruction, on_delete=models.PROTECT, related_name="+")
    level = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Of both sides, or of the one beside the original; empty for a pair across levels.",
    )
    kind = models.CharField(
        max_length=40, help_text="Kinds of both sides: classical-learned, original-own, …"
    )
    role = models.CharField(max_length=9, choices=Role, default=Role.PAIR)
    known = models.CharField(
        max_length=6, choices=Known, blank=True, default="", help_text="The known answer, if there is one."
    )
    shuffle = models.BigIntegerField(help_text="A hash: the order of triplets with equal priority.")
    served = models.PositiveIntegerField(
        default=0, help_text="People's votes and live leases that will be votes: no warm-up, no checks."
    )
    lefts = models.PositiveIntegerField(default=0, help_text="How often the first was shown on the left.")
    votes = models.PositiveIntegerField(default=0, help_text="People's judgments that count.")
    # Simulated annotators take nobody's place: `counter` names the column of a population.
    simulated_served = models.PositiveIntegerField(default=0)
    simulated_lefts = models.PositiveIntegerField(default=0)
    simulated_votes = models.PositiveIntegerField(default=0)
    priority = models.FloatField(
        default=0.0,
        help_text="Higher is served sooner. Set by a worker if the study's allocation uses priorities.",
    )
    held_out = models.BooleanField(default=False, help_text="Served in random order, whatever its priority.")

    objects = TripletQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "first", "second", "role"], name="one_triplet_per_pair_and_role"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")) | Q(role="identical", first=F("second")),
                name="a_pair_is_unordered",
            ),
            models.CheckConstraint(condition=Q(votes__lte=F("served")), name="a_vote_was_served"),
            models.CheckConstraint(
                condition=Q(simulated_votes__lte=F("simulated_served")), name="a_simulated_vote_was_served"
            ),
        ]
        indexes = [
            models.Index(fields=["study", "role", "served", "shuffle"], name="triplet_fewest_first"),
            models.Index(
                fields=["study", "role", "held_out", "-priority", "served", "shuffle"],
                name="triplet_by_priority",
            ),
            models.Index(fields=["study", "role", "known"], name="triplet_with_expert_answer"),
            # Where a warm-up pair or a check is drawn from.
            models.Index(fields=["study", "role", "shuffle"], name="triplet_at_random"),
            # Whether anything is unfinished: asked by everybody who hears that there is nothing to judge.
            models.Index(fields=["study", "role", "votes"], name="triplet_unfinished"),
            models.Index(
                fields=["study", "role", "simulated_served", "shuffle"], name="triplet_fewest_simulated"
            ),
            models.Index(fields=["study", "role", "simulated_votes"], name="triplet_unsimulated"),
        ]

    def __str__(self) -> str:
        return f"Triplet {self.pk}"

    def counted(self, name: str, *, simulated: bool) -> int:
        """What the counter "served", "lefts" or "votes" of a population says."""
        count: int = getattr(self, counter(name, simulated=simulated))
        return count

    @classmethod
    def of(cls, study: Study, one: Reconstruction, other: Reconstruction, **fields: Any) -> Self:
        """A row, not saved yet, of two reconstructions of one source, in the order that the database asks for.

        Its level is theirs, if they have one in common; a check's pair has that of `one`.
        """
        first, second = sorted((one, other), key=attrgetter("pk"))
        return cls(
            study=study,
            source_id=one.source_id,
            first=first,
            second=second,
            level=one.level if "role" in fields else _level_of(one, other),
            kind=pair_kind(first.kind, second.kind),
            **fields,
        )


def _level_of(one: Reconstruction, other: Reconstruction) -> Decimal | None:
    level = pair_level(one.condition, other.condition)
    return None if level is None else as_decimal(level)

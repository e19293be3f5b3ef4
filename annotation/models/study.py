"""Study: a question put to people, with everything that decides what they are shown."""

import secrets
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from annotation.core.conditions import ORIGINAL, Condition
from annotation.core.languages import LANGUAGES, SOURCE_LANGUAGE, translatable
from annotation.core.pairing import ListedPair, Pairing, listed_from_json
from annotation.core.protocol import Protocol
from annotation.core.roles import Reach, roles_with

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def new_key() -> str:
    """An unguessable name for a link."""
    return secrets.token_urlsafe(16)


DEFAULT_QUESTION = translatable("Which is closer to the original?")


def default_bpps() -> list[float]:
    """The four bitrates of the human study in arXiv 2002.04988."""
    return [0.23, 0.37, 0.67, 1.0]


def default_protocol() -> dict[str, Any]:
    """A laboratory's rules."""
    return Protocol().to_json()


class StudyQuerySet(models.QuerySet["Study"]):
    """Reads of studies."""

    def reached_by(self, user: "User", reach: Reach) -> "StudyQuerySet":
        """Studies in which the researcher may do so much; a superuser may do everything in all."""
        if user.is_superuser and user.is_active:
            return self
        return self.filter(memberships__user=user.pk, memberships__role__in=roles_with(reach))

    def open(self) -> "StudyQuerySet":
        """Studies that take judgments now."""
        return self.filter(state=Study.State.OPEN)


class Study(models.Model):
    """A question put to people: its words, its rules, its codecs and bitrates; frozen once opened."""

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    name = models.CharField(max_length=120, help_text="For researchers.")
    title = models.CharField(
        max_length=120, blank=True, default="", help_text="For annotators; empty: the name."
    )
    slug = models.SlugField(unique=True, max_length=60)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    question = models.CharField(max_length=120, default=DEFAULT_QUESTION)
    instructions = models.TextField(blank=True, default="")
    language = models.CharField(
        max_length=12,
        choices=LANGUAGES,
        default=SOURCE_LANGUAGE,
        db_default=SOURCE_LANGUAGE,
        help_text="Language of the annotators' pages. The question, instructions and other texts are "
        "shown as written.",
    )
    annotators_choose_language = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Annotators begin in the language of their browser and can choose another one.",
    )
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)

    codecs = models.JSONField(default=list, help_text="Names of registered codecs.")
    codecs_added = models.JSONField(
        default=list, blank=True, help_text="Codecs added after the opening: codec, at, by."
    )
    target_bpps = models.JSONField(default=default_bpps, help_text="Target bits per pixel.")
    max_width = models.PositiveIntegerField(
        default=400,
        validators=[MinValueValidator(64)],
        help_text="Wider photographs are cropped to this many pixels, so that three fit side by side.",
    )
    max_height = models.PositiveIntegerField(default=560, validators=[MinValueValidator(64)])

    votes_per_triplet = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    pairs_per_session = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(1)])
    lease_seconds = models.PositiveIntegerField(
        default=900, validators=[MinValueValidator(30), MaxValueValidator(86_400)]
    )
    allow_ties = models.BooleanField(default=False, help_text="Offer “can’t tell”.")
    min_view_ms = models.PositiveIntegerField(default=1000, validators=[MaxValueValidator(30_000)])
    surround = models.CharField(
        max_length=7, default="#4d4d4d", validators=[RegexValidator(r"^#([3-7][0-9a-f]|80)\1\1$")]
    )
    protocol = models.JSONField(
        default=default_protocol, help_text="Every rule of annotation.core.protocol.Protocol, by name."
    )
    questionnaire = models.JSONField(
        default=list, blank=True, help_text="The study's own questions: annotation.core.questionnaire."
    )
    preset = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="The preset that it is based on, a name in annotation.core.presets.",
    )
    origin = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Origin of imported judgments; empty: judged here.",
    )
    ranking_only = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Imported answers about pictures that are known by name: there are no pixels.",
    )
    annotators_recorded = models.BooleanField(
        default=True,
        db_default=True,
        help_text="False where imported answers do not say who gave them: each annotator is then of several people.",
    )
    retrain_after = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="New judgments until the metric is retrained; empty: the site's setting.",
    )

    unplanned = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Open, and not every photograph has its reconstructions and pairs planned yet.",
    )
    planning_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the process that plans it is considered dead."
    )

    created_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField(null=True, blank=True, help_text="When the draft was last changed.")
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then, it is hidden from the list; all its data are kept."
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    sources: Any = models.ManyToManyField(
        "annotation.Source", through="annotation.StudySource", blank=True, related_name="studies"
    )
    own_pictures: Any = models.ManyToManyField(
        "annotation.Reconstruction",
        blank=True,
        related_name="studies",
        help_text="Pictures not made by a built-in codec.",
    )
    listed_pairs = models.JSONField(
        default=list,
        blank=True,
        help_text="Individually listed pairs, one per line: annotation.core.pairing.",
    )

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(opened_at__isnull=False), name="an_opened_study_knows_when"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.slug])

    @property
    def public_title(self) -> str:
        """What annotators read; the name is for researchers."""
        return self.title or self.name

    @property
    def rules(self) -> Protocol:
        """The protocol as values."""
        return _rules_of(tuple(sorted(self.protocol.items())))

    @property
    def pairing(self) -> Pairing:
        """The rules that make its pairs."""
        rules = self.rules
        return Pairing(
            within=rules.pairs_within,
            across=rules.pairs_across,
            with_original=rules.pairs_with_original,
            listed=_listed_of(tuple(self.listed_pairs)),
        )

    @property
    def bitrates(self) -> frozenset[float]:
        """Which of its levels are target bitrates of built-in codecs, in bits per pixel."""
        return frozenset(round(bpp, 4) for bpp in self.target_bpps) if self.codecs else frozenset()

    @cached_property
    def own_methods(self) -> tuple[str, ...]:
        """The methods of its own pictures; their marks in figures are chosen to differ from each other."""
        return tuple(self.own_pictures.order_by("method").values_list("method", flat=True).distinct())

    def conditions(self) -> list[Condition]:
        """What it compares, sorted: codecs at bitrates, pictures of one's own, the original where it is a side."""
        zoo = {Condition(codec, round(bpp, 4)) for codec in self.codecs for bpp in self.target_bpps}
        own = self.own_pictures.order_by().values_list("method", "level").distinct()
        conditions = sorted(zoo | {Condition(method, float(level)) for method, level in own})
        return [*conditions, ORIGINAL] if self.pairing.shows_original else conditions


@lru_cache(maxsize=256)
def _rules_of(protocol: tuple[tuple[str, Any], ...]) -> Protocol:
    """Read once, not several times in each claim, which holds the embedded database's one lock meanwhile."""
    return Protocol.from_json(dict(protocol))


@lru_cache(maxsize=64)
def _listed_of(lines: tuple[str, ...]) -> tuple[ListedPair, ...]:
    """A long list is read once, not in every claim."""
    return listed_from_json(lines)

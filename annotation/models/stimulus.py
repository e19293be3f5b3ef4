"""Photographs, sources and reconstructions: the pictures that people are shown."""

import uuid
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from annotation.core.conditions import LONGEST_CODEC, Condition
from annotation.models.study import Study
from annotation.models.work import Work, WorkQuerySet


def source_path(source: "Source", filename: str) -> str:
    """Files are named by what they are, never by what somebody called them."""
    return f"sources/{source.sha256}.png"


def reconstruction_path(reconstruction: "Reconstruction", filename: str) -> str:
    """A random name: it says nothing about the codec, and a second attempt never writes over the first."""
    return f"reconstructions/{uuid.uuid4().hex}.png"


def whole_path(photograph: "Photograph", filename: str) -> str:
    """Whole photographs and their previews, named by their pixels."""
    return f"photographs/{photograph.sha256}/{filename}"


class Photograph(models.Model):
    """A whole photograph, kept where a study shows a part of it, so that the part can be chosen anew."""

    sha256 = models.CharField(max_length=64, unique=True, help_text="sha256 of the pixels.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    image = models.FileField(upload_to=whole_path, help_text="Lossless PNG.")
    preview = models.FileField(upload_to=whole_path, help_text="Small JPEG, for choosing the crop.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Photograph {self.sha256[:12]}"


class SourceQuerySet(models.QuerySet["Source"]):
    """Reads of sources."""

    def used_in(self, study: Study) -> Self:
        """The study's, each with its `name`, `licence` and `attribution` there."""
        words = {word: F(f"uses__{word}") for word in ("name", "licence", "attribution")}
        return self.filter(uses__study=study).annotate(**words)

    def with_pixels(self) -> Self:
        """Without those that are known by name only."""
        return self.exclude(image="")


class Source(models.Model):
    """An original photograph as it is shown: sRGB, 8 bit, cropped if need be; immutable."""

    class Split(models.TextChoices):
        TRAIN = "train"
        VAL = "val"
        TEST = "test"

    sha256 = models.CharField(
        max_length=64, unique=True, help_text="Of the pixels; of study and name where there are none."
    )
    photograph = models.CharField(
        max_length=64, db_index=True, help_text="sha256 of the whole photograph's pixels, before cropping."
    )
    split = models.CharField(
        max_length=5, choices=Split, help_text="Determined by the hash of the photograph; never changes."
    )
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    crop = models.JSONField(null=True, blank=True, help_text="left, top, width, height in the photograph.")
    notes = models.JSONField(default=list, help_text="Notes on conversions at import.")
    image = models.FileField(upload_to=source_path, help_text="Empty where only the name is known.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Source {self.sha256[:12]}"


class StudySourceQuerySet(models.QuerySet["StudySource"]):
    """Reads of the uses of sources."""

    def name_here(self) -> Subquery:
        """For an annotation: what the row's study calls the row's source."""
        return Subquery(self.filter(study=OuterRef("study"), source=OuterRef("source")).values("name")[:1])


class StudySource(models.Model):
    """A study's use of a source: what it calls it, under which licence it has it, and whom it credits.

    The pixels may be another study's too, brought in by somebody else under another name.
    """

    study = models.ForeignKey("annotation.Study", on_delete=models.CASCADE, related_name="uses")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="uses")
    name = models.CharField(max_length=200, blank=True, default="")
    licence = models.CharField(max_length=200, blank=True, default="")
    attribution = models.CharField(max_length=500, blank=True, default="")

    objects = StudySourceQuerySet.as_manager()

    class Meta:
        # The table that Django made for the bare relation, from before a use had words of its own.
        db_table = "annotation_study_sources"
        constraints = [
            models.UniqueConstraint(fields=["study", "source"], name="a_study_uses_a_source_once"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.source)


def as_decimal(level: float) -> Decimal:
    """A level as the database keeps it."""
    return Decimal(str(level)).quantize(Decimal("0.0001"))


class ReconstructionQuerySet(WorkQuerySet["Reconstruction"]):
    """Reads of reconstructions."""

    def needed_by(self, study: Study) -> Self:
        """Those that the study shows, whichever study asked for them first."""
        shown = Q(
            origin=Reconstruction.Origin.ZOO,
            method__in=study.codecs,
            level__in=[as_decimal(bpp) for bpp in study.target_bpps],
        ) | Q(origin__in=Reconstruction.OF_STUDIES, pk__in=study.own_pictures.values("pk"))
        if study.pairing.shows_original:
            shown |= Q(origin=Reconstruction.Origin.ORIGINAL)
        return self.filter(shown, source__in=study.sources.all())

    def anchors_of(self, study: Study) -> Self:
        """The plainly worse ones that the study's checks and training are made of; none where it has neither."""
        if not study.rules.needs_anchors:
            return self.none()
        anchors = Reconstruction.Origin.COARSE, Reconstruction.Origin.DAMAGED
        return self.filter(origin__in=anchors, source__in=study.sources.all())

    def with_source_names(self, study: Study) -> Self:
        """With `source_name`, which is what the study calls the source."""
        uses = StudySource.objects.filter(study=study, source=OuterRef("source"))
        return self.annotate(source_name=Subquery(uses.values("name")[:1]))

    def prepared_for(self, study: Study) -> Self:
        """All that is encoded for the study: what it asks about, and what its checks need."""
        return self.needed_by(study) | self.anchors_of(study)


class Reconstruction(Work):
    """A source under one condition: made by a codec of the zoo, a picture of the researcher's, or the original.

    In a study that only ranks there are names alone: conditions, the original among them, without pixels. For checks
    and practice there are anchors, plainly worse: a codec at its fewest bits (coarse), or damaged.
    """

    class Origin(models.TextChoices):
        ZOO = "zoo"
        OWN = "own"
        NAMED = "named"
        ORIGINAL = "original"
        COARSE = "coarse"
        DAMAGED = "damaged"

    # What belongs to the studies that show it, not to all that use its photograph.
    OF_STUDIES = (Origin.OWN, Origin.NAMED)

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="reconstructions")
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.ZOO)
    method = models.CharField(
        max_length=LONGEST_CODEC,
        help_text="A built-in codec, the name of the researcher's own method, original, or a degradation for checks.",
    )
    level = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        help_text="The target bpp of a built-in codec; the researcher's own number for own pictures; 0 otherwise.",
    )

    operating_point = models.JSONField(null=True, blank=True)
    codec_version = models.CharField(max_length=200, blank=True, default="")
    libraries = models.JSONField(default=dict, blank=True)
    kind = models.CharField(max_length=20, blank=True, default="", help_text="classical or learned")
    file_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    payload_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    bpp = models.FloatField(null=True, blank=True, help_text="Bits per pixel of the whole file.")
    payload_bpp = models.FloatField(null=True, blank=True, help_text="Bits per pixel without the container.")
    reached = models.BooleanField(null=True, blank=True, help_text="Within 2 % of the target.")
    encodes = models.PositiveSmallIntegerField(null=True, blank=True)
    encode_ms = models.FloatField(null=True, blank=True)
    decode_ms = models.FloatField(null=True, blank=True)
    psnr = models.FloatField(null=True, blank=True, help_text="dB over RGB; empty where it is infinite.")
    ms_ssim = models.FloatField(null=True, blank=True, help_text="Empty under 161 pixels.")
    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="sha256 of the pixels.")
    image = models.FileField(upload_to=reconstruction_path, blank=True)
    pixels_changed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it was encoded again with different pixels: earlier answers are about other pixels.",
    )

    objects = ReconstructionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "method", "level"],
                condition=Q(origin="zoo"),
                name="one_reconstruction_per_source_codec_and_bitrate",
            ),
            models.UniqueConstraint(
                fields=["source", "method", "level", "sha256"],
                condition=Q(origin="own"),
                name="one_row_per_picture_of_ones_own",
            ),
            models.UniqueConstraint(
                fields=["source", "method", "level"],
                condition=Q(origin="named"),
                name="one_row_per_named_condition_of_a_source",
            ),
            models.UniqueConstraint(
                fields=["source"], condition=Q(origin="original"), name="one_original_side_per_source"
            ),
            models.UniqueConstraint(
                fields=["source", "method"],
                condition=Q(origin="coarse"),
                name="one_coarse_picture_per_source_and_codec",
            ),
            models.UniqueConstraint(
                fields=["source", "method", "level"],
                condition=Q(origin="damaged"),
                name="one_row_per_damage_of_a_source",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | Q(origin="named", sha256="", image="")
                | (
                    ~Q(origin="named")
                    & ~Q(sha256="")
                    & ~Q(image="")
                    & (Q(bpp__isnull=False) | ~Q(origin="zoo"))
                ),
                name="a_done_reconstruction_has_its_pixels",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["original", "named"], method="original", level=0)
                | (~Q(origin="original") & ~Q(method="original")),
                name="only_the_original_is_called_so",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}, {self.condition}"

    @property
    def condition(self) -> Condition:
        """What it stands for in comparisons."""
        return Condition(self.method, float(self.level))

    @property
    def is_anchor(self) -> bool:
        """Whether it is plainly worse on purpose, for checks and training alone."""
        return self.origin in (self.Origin.COARSE, self.Origin.DAMAGED)

"""What a codec can make of a source: the fewest and the most bits per pixel."""

from django.db import models

from annotation.models.stimulus import Source
from annotation.models.work import Work, WorkQuerySet


class CodecReach(Work):
    """The bitrates at both ends of a codec's knob on one source, measured before a study opens."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="reaches")
    codec = models.CharField(max_length=100)
    lowest_bpp = models.FloatField(null=True, blank=True)
    highest_bpp = models.FloatField(null=True, blank=True)

    objects = WorkQuerySet["CodecReach"].as_manager()

    class Meta:
        verbose_name_plural = "codec reaches"
        constraints = [
            models.UniqueConstraint(fields=["source", "codec"], name="one_reach_for_a_source_and_codec"),
        ]

    def __str__(self) -> str:
        return f"{self.codec} on {self.source}"

"""Which bitrates the codecs of a draft reach on its photographs: measured by workers, two encodes for each."""

import uuid

from annotation.leases import run_claimed
from annotation.models import CodecReach, Source, Study
from annotation.queues import SLOW_SECONDS
from annotation.services.encoding import read_pixels
from codecs_zoo import rate, registry
from codecs_zoo.contract import CodecError


def request_reach(*, study: Study, source: Source | None = None) -> list[int]:
    """Makes the rows that are missing for the study's codecs and photographs; returns those that wait for a worker.

    With `source` those of that photograph alone. Codecs that search for minutes are passed over: they aim at a bitrate
    by themselves.
    """
    codecs = [name for name in study.codecs if is_measurable(name)]
    sources = [source.pk] if source else list(study.sources.order_by("pk").values_list("pk", flat=True))
    CodecReach.objects.bulk_create(
        [CodecReach(source_id=pk, codec=codec) for pk in sources for codec in codecs],
        ignore_conflicts=True,
        batch_size=500,
    )
    rows = CodecReach.objects.filter(source__in=sources, codec__in=codecs, state=CodecReach.State.QUEUED)
    return list(rows.order_by("source", "pk").values_list("pk", flat=True))


def is_measurable(name: str) -> bool:
    """Whether the codec encodes in seconds, here: both ends of its knob can be tried, and a preview can show it."""
    try:
        codec = registry.get(name)
    except (KeyError, CodecError):
        return False
    return codec.availability().available and codec.seconds_per_megapixel <= SLOW_SECONDS


def measure_reach(*, pk: int) -> str:
    """Claims one measurement and makes it; returns what became of it."""
    return run_claimed(CodecReach.objects.select_related("source"), pk, _measure, expected=(CodecError,))


def _measure(row: CodecReach, lease: uuid.UUID) -> str:
    lowest, highest = rate.ends(registry.get(row.codec), read_pixels(row.source.image))
    kept = CodecReach.objects.all().finish(row.pk, lease, lowest_bpp=lowest, highest_bpp=highest)
    return "done" if kept else "taken over"

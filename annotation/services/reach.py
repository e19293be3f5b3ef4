"""Which bitrates the codecs of a draft reach on its photographs: measured by workers, two encodes for each."""

import uuid

from annotation.leases import run_claimed
from annotation.models import CodecReach, Source, Study
from annotation.queues import SLOW_SECONDS
from annotation.services.encoding import read_pixels
from codecs_zoo import rate, registry
from codecs_zoo.contract import CodecError


def request_reach(*, study: Study, source: Source | None = None) -> list[int]:
    """Makes the rows that are missing for the study's codecs and photographs; returns these.

    With `source` those of that photograph alone. Codecs that search for minutes are passed over: they aim at a bitrate
    by themselves. A row that was made before was sent to a worker then, and beat sends it again if that was lost.
    """
    codecs = [name for name in study.codecs if is_measurable(name)]
    sources = [source.pk] if source else list(study.sources.order_by("pk").values_list("pk", flat=True))
    rows = CodecReach.objects.filter(source__in=sources, codec__in=codecs).order_by("source", "pk")
    earlier = set(rows.values_list("source", "codec"))
    missing = [(pk, codec) for pk in sources for codec in codecs if (pk, codec) not in earlier]
    CodecReach.objects.bulk_create(
        [CodecReach(source_id=pk, codec=codec) for pk, codec in missing],
        ignore_conflicts=True,
        batch_size=500,
    )
    if not missing:
        return []
    queued = rows.filter(state=CodecReach.State.QUEUED).values_list("pk", "source", "codec")
    return [pk for pk, its_source, codec in queued if (its_source, codec) not in earlier]


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

"""Which bitrates each codec of a study can reach on its photographs, from what was measured."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from annotation.core.bitrates import rate_in_words
from annotation.models import CodecReach, Study
from codecs_zoo.rate import within_reach

NAMES_SHOWN = 3


@dataclass(frozen=True)
class CodecRow:
    """A codec's reach: by target the names of photographs on which it misses; and how many are still unmeasured."""

    codec: str
    photographs: int
    measured: int = 0
    pending: int = 0
    failed: int = 0
    lowest: float | None = None
    highest: float | None = None
    missed: dict[float, list[str]] = field(default_factory=dict)

    @property
    def cells(self) -> list[tuple[str, int, int]]:
        """(target, photographs on which it is reached, photographs measured) in the order of the study's targets."""
        return [
            (rate_in_words(bpp), self.measured - len(names), self.measured)
            for bpp, names in self.missed.items()
        ]

    def misses(self) -> Iterator[str]:
        """A sentence for each target that is out of reach somewhere."""
        for bpp, names in self.missed.items():
            if names:
                shown = ", ".join(names[:NAMES_SHOWN]) + (
                    f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
                )
                yield (
                    f"{self.codec} cannot reach {rate_in_words(bpp)} bpp on {len(names)} of {self.photographs} "
                    f"photographs ({shown}): those pairs will be missing. Choose another bitrate or codec, or remove "
                    "them."
                )


def study_reach(study: Study) -> list[CodecRow]:
    """A row for each codec of the study, by name, as everywhere."""
    names = dict(study.uses.values_list("source", "name"))
    rows: dict[str, list[CodecReach]] = defaultdict(list)
    for row in CodecReach.objects.filter(source__in=names, codec__in=study.codecs).order_by("source"):
        rows[row.codec].append(row)
    return [_row(codec, rows[codec], names, study.target_bpps) for codec in sorted(study.codecs)]


def pending_reaches(study: Study) -> int:
    """How many measurements of what the study's codecs reach a worker still has to make."""
    rows = CodecReach.objects.filter(source__in=study.sources.all(), codec__in=study.codecs)
    return rows.pending().count()


def _row(codec: str, rows: list[CodecReach], names: dict[int, str], targets: list[float]) -> CodecRow:
    done = [row for row in rows if row.state == CodecReach.State.DONE]
    ends = [(row.lowest_bpp or 0.0, row.highest_bpp or 0.0) for row in done]
    return CodecRow(
        codec=codec,
        photographs=len(names),
        measured=len(done),
        pending=sum(row.state in (CodecReach.State.QUEUED, CodecReach.State.RUNNING) for row in rows),
        failed=sum(row.state == CodecReach.State.FAILED for row in rows),
        lowest=max((low for low, _ in ends), default=None),
        highest=min((high for _, high in ends), default=None),
        missed={
            bpp: [
                names[row.source_id]
                for row, (low, high) in zip(done, ends, strict=True)
                if not within_reach(bpp, low, high)
            ]
            for bpp in targets
        },
    )

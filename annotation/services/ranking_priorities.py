"""What is asked next where a study's allocation is "ranking": worked out in batches, never inside a request."""

import structlog

from annotation.models import Study, Triplet
from annotation.reports.comparisons import comparisons_of, rows_of
from annotation.services.priorities import set_priorities
from psychometrics.comparisons import tally
from psychometrics.sampling import Askable, Posterior, posterior_of, priorities

log = structlog.get_logger(__name__)

# Two priorities this close are the same, and the row is left as it is.
SAME = 1e-4


def refresh_rankings() -> int:
    """Sets the priorities of all open studies that rank codecs; returns how many pairs have a new one."""
    studies = [study for study in Study.objects.open() if study.rules.allocation == "ranking"]
    return sum(refresh_ranking(study=study) for study in studies)


def refresh_ranking(*, study: Study) -> int:
    """Sets the study's priorities from the votes so far; returns how many pairs have a new one."""
    pairs = list(
        Triplet.objects.filter(study=study, role=Triplet.Role.PAIR).values_list(
            "pk", "source_id", "target_bpp", "first__codec", "second__codec", "served", "priority"
        )
    )
    if not pairs:
        return 0
    number = {name: n for n, name in enumerate(sorted({name for row in pairs for name in row[3:5]}))}
    asked = [
        Askable(pk, source, float(bpp), number[first], number[second], served)
        for pk, source, bpp, first, second, served, _ in pairs
    ]
    found = priorities(
        asked, _posteriors(study, list(number), {pair.target_bpp for pair in asked}), seed=study.key
    )
    before = {row[0]: row[6] for row in pairs}
    changed = {pk: value for pk, value in found.items() if abs(value - before[pk]) > SAME}
    if not changed:
        return 0
    written = set_priorities(study=study, priorities=changed)
    log.info("priorities refreshed", study=study.slug, pairs=written)
    return written


def _posteriors(study: Study, names: list[str], rates: set[float]) -> dict[float, Posterior]:
    """By bitrate, from people's votes alone: what programs say decides nothing that people are asked."""
    rows = [row for row in rows_of(study, simulated=False) if {row[1], row[2]} <= set(names)]
    posteriors = {}
    for rate in rates:
        met = comparisons_of([row for row in rows if float(row[0]) == rate], names)
        posteriors[rate] = posterior_of(tally(met), len(names))
    return posteriors

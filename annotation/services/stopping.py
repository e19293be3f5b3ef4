"""Studies that end by their stop rule: the last day is over, or every interval is narrow enough.

A study that has reached its end is paused first, so that leased pairs can still be answered, and closed once no
lease is left. That all votes are in needs no rule: then nothing is left to serve.
"""

from datetime import date

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Assignment, Study
from annotation.reports.comparisons import study_votes
from annotation.services.studies import close_study, pause_study
from psychometrics.ranking import Ranking
from psychometrics.results import rank_conditions

log = structlog.get_logger(__name__)

# An interval from fewer annotators says more about them than about the codecs.
FEWEST_ANNOTATORS = 5
FEWEST_SOURCES = 3


def apply_stop_rules() -> list[str]:
    """What was done, as "slug: paused, reason" or "slug: closed, reason", for studies that have reached their end."""
    return [done for study in _running() if (done := _apply(study))]


def _running() -> QuerySet[Study]:
    return Study.objects.filter(state__in=[Study.State.OPEN, Study.State.PAUSED])


def _apply(study: Study) -> str:
    reason = why_it_ends(study)
    # Programs are not waited for: their pairs return when their leases expire.
    leased = Assignment.objects.live().filter(study=study, annotator__simulated=False).exists()
    if not reason or (leased and study.state == Study.State.PAUSED):
        return ""
    step = "paused" if leased else "closed"
    (pause_study if leased else close_study)(study=study)
    log.info(f"study {step} by its own rule", study=study.slug, reason=reason)
    return f"{study.slug}: {step}, {reason}"


def why_it_ends(study: Study, *, today: date | None = None) -> str:
    """The rule by which the study is over, in words; "" while it continues."""
    rules = study.rules
    today = today or timezone.now().date()
    if rules.stop_on and today > date.fromisoformat(rules.stop_on):
        return f"its last day was {rules.stop_on}"
    if rules.stop_halfwidth:
        widest = widest_halfwidth(study)
        if widest is not None and widest <= rules.stop_halfwidth:
            return f"every difference is within ± {widest:.2f} JND, as its rule of ± {rules.stop_halfwidth:g} requires"
    return ""


def widest_halfwidth(study: Study) -> float | None:
    """Half the width of the widest 95 % interval of a difference, in JND, from people's votes alone.

    Every level counts, or the one scale that joins them: an average over levels may be narrow where none of them is.
    None while a level has too few annotators, sources or comparisons for a ranking.
    """
    results = rank_conditions(study_votes(study, simulated=False).comparisons)
    rankings = [section.ranking for section in results.deciding]
    if not rankings or any(ranking is None or not _enough(ranking) for ranking in rankings):
        return None
    return max(ranking.halfwidth for ranking in rankings if ranking is not None)


def _enough(ranking: Ranking) -> bool:
    annotators, sources = ranking.annotators or 0, ranking.sources or 0
    return annotators >= FEWEST_ANNOTATORS and sources >= FEWEST_SOURCES

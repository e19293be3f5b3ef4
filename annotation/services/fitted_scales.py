"""How well annotators follow the common scale, updated as answers arrive: in a large study from new answers only.

The scale of a large study hardly moves from one refresh to the next. So it is kept in the shared cache with everybody's
counts, and annotators with new answers are compared with it; once a day, or when the answers have grown by a tenth,
it is fitted anew, with everybody's figures. What is kept can be computed again from the rows.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotation.models import Judgment, Study
from annotation.reports.comparisons import OUTCOMES
from psychometrics.annotator_counts import AnnotatorCounts
from psychometrics.comparisons import Comparisons, Floats
from psychometrics.estimates import Estimate
from psychometrics.reliability import Scales, compare_with_scales, fit_scales

# Up to so many answers everything is refitted at every refresh.
FEW = 20_000
GROWTH = 0.1
FITTED_EVERY = timedelta(days=1)

Estimates = tuple[Estimate, Estimate]


@dataclass(frozen=True)
class FittedScales:
    """The scales of a population as they were fitted, with every vote received up to `until` in the totals."""

    scales: Scales
    methods: tuple[str, ...]
    levels: tuple[Any, ...]
    votes: int
    fitted_on: int
    fitted_at: datetime
    until: datetime

    def covers(self, votes: "Votes") -> bool:
        """Whether these votes are on methods and levels that the scales know."""
        return set(votes.methods) <= set(self.methods) and set(votes.levels) <= set(self.levels)


@dataclass
class Votes:
    """Votes within a level, a row each: numbers of the annotator, the level, both methods and the outcome.

    `since`: until when votes are known already; without it all are new. `newest`: when the last one was received.
    """

    since: datetime | None = None
    newest: datetime | None = None
    people: dict[UUID, int] = field(default_factory=dict)
    methods: dict[str, int] = field(default_factory=dict)
    levels: dict[Any, int] = field(default_factory=dict)
    rows: "array[int]" = field(default_factory=lambda: array("i"))
    is_new: "array[int]" = field(default_factory=lambda: array("b"))

    def add(self, annotator: UUID, answers: Sequence[Any]) -> None:
        """The votes among an annotator's answers (rows of annotation.services.annotator_quality), the last one last."""
        votes = [row for row in answers if row.counted and row.level is not None]
        for row in votes:
            person = self.people.setdefault(annotator, len(self.people))
            level = self.levels.setdefault(row.level, len(self.levels))
            first, second = (
                self.methods.setdefault(one, len(self.methods)) for one in (row.first, row.second)
            )
            self.rows.extend((person, level, first, second, OUTCOMES[row.choice]))
            self.is_new.append(self.since is None or _received(row) > self.since)
        if votes:
            last = _received(votes[-1])
            self.newest = last if self.newest is None else max(self.newest, last)

    def columns(self) -> Any:
        """(5, votes) integers."""
        return np.array(self.rows, dtype=np.int64).reshape(-1, 5).T


def cached_scales(study: Study, *, simulated: bool) -> FittedScales | None:
    """The cached scales of the population, while they are recent enough to compare annotators with."""
    fitted: FittedScales | None = cache.get(_key(study, simulated=simulated))
    if fitted is None or fitted.fitted_on <= FEW or fitted.votes > fitted.fitted_on * (1 + GROWTH):
        return None
    return fitted if fitted.fitted_at > timezone.now() - FITTED_EVERY else None


def drop_scales(study: Study, *, simulated: bool) -> None:
    """The next refresh refits everything."""
    cache.delete(_key(study, simulated=simulated))


def answered_since(study: Study, fitted: FittedScales, *, simulated: bool) -> list[UUID]:
    """Who has answered since."""
    new = Judgment.objects.filter(study=study, received_at__gt=fitted.until).of_population(
        simulated=simulated
    )
    return list(new.order_by().values_list("annotator", flat=True).distinct())


def compare_votes(
    study: Study, votes: Votes, fitted: FittedScales | None, *, simulated: bool
) -> Mapping[UUID, Estimates]:
    """Likelihood and reliability of those whose votes these are, on a scale for each level; the scales are kept.

    `votes` are everybody's, or all those of some annotators where `fitted` are the scales of the rest.
    """
    if not votes.rows:
        return {}
    if fitted is None:
        return _fit_all(study, votes, simulated=simulated)
    counts, new = _counts(votes, fitted)
    totals = fitted.scales.totals + new
    scales = replace(fitted.scales, totals=totals)
    until = max(fitted.until, votes.newest or fitted.until)
    newest = replace(fitted, scales=scales, votes=round(float(totals.sum())), until=until)
    cache.set(_key(study, simulated=simulated), newest, FITTED_EVERY.total_seconds())
    return dict(zip(votes.people, compare_with_scales(scales, counts), strict=True))


def _fit_all(study: Study, votes: Votes, *, simulated: bool) -> Mapping[UUID, Estimates]:
    person, level, first, second, outcome = votes.columns()
    rows = Comparisons.of_choices(list(votes.methods), first, second, outcome, person)
    scales, counts = fit_scales(rows, level, len(votes.people))
    names, number = (tuple(votes.methods), tuple(votes.levels)), len(votes.is_new)
    assert votes.newest, "votes have times"
    state = FittedScales(scales, *names, number, number, timezone.now(), votes.newest)
    cache.set(_key(study, simulated=simulated), state, FITTED_EVERY.total_seconds())
    return dict(zip(votes.people, compare_with_scales(scales, counts), strict=True))


def _counts(votes: Votes, fitted: FittedScales) -> tuple[AnnotatorCounts, Floats]:
    """The counts of these votes by annotator, and the totals (levels, pairs, 3) of those that are new."""
    person, level, first, second, outcome = votes.columns()
    names = {name: n for n, name in enumerate(fitted.methods)}
    methods = np.array([names[one] for one in votes.methods], dtype=np.int64)
    levels = np.array([fitted.levels.index(one) for one in votes.levels], dtype=np.int64)
    rows = Comparisons.of_choices(list(fitted.methods), methods[first], methods[second], outcome, person)
    shape = (len(votes.people), *fitted.scales.ahead.shape)
    counts = AnnotatorCounts.of(rows, levels[level], shape)
    is_new = np.array(votes.is_new, dtype=bool)
    new = AnnotatorCounts.of(rows.where(is_new), levels[level][is_new], shape)
    return counts, new.totals()


def _received(row: Any) -> datetime:
    """When an answer was received, from the database's text; SQLite writes no zone, and means UTC."""
    at = parse_datetime(row.received)
    if at is None:
        raise ValueError(f"The database returned a time that cannot be read: {row.received!r}.")
    return at if timezone.is_aware(at) else at.replace(tzinfo=UTC)


def _key(study: Study, *, simulated: bool) -> str:
    return f"fitted-scales-{study.key}-{simulated}"

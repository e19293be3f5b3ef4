"""Which triplet is served at the next place of a stream: a pair, or the check that is due."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from annotation.core.allocation import Chosen, Offer, Sides, choose, next_side
from annotation.core.checks import REPEAT_DISTANCE
from annotation.models import Assignment, Session, Study, Triplet
from annotation.models.triplet import TripletQuerySet, counter
from annotation.services.stream import HELD, Stream
from psychometrics.draws import uniform

# Rows that one claim looks at: enough to find a side that is owed, few enough to cost nothing.
OFFERS = 16
# A repeat is drawn from this many of the annotator's last pairs.
REPEATABLE = 40
# Triplet.shuffle runs up to here.
LARGEST_SHUFFLE = 2**63 - 1


@dataclass(frozen=True)
class Serving:
    """A triplet to lease: its kind, and the side of its first reconstruction."""

    triplet: Triplet
    first_on_left: bool
    kind: str = Assignment.Kind.PAIR
    warm_up: bool = False
    repeats: Assignment | None = None

    @property
    def counts(self) -> bool:
        """Whether its answer will be a vote."""
        return self.kind == Assignment.Kind.PAIR and not self.warm_up


def next_servings(session: Session, stream: Stream) -> Iterator[Serving]:
    """What may be served next, best first; nothing when no pair is open to the annotator.

    A check never comes where there is no pair left, so that checks alone do not keep a session alive. Pairs are
    looked up before a check is served, and a check before a pair is: the time that a claim takes tells neither.
    """
    pairs = _pairs(session, stream)
    if not pairs:
        return iter(())
    if stream.warm_up:
        return iter([_warm_up(session, stream) or pairs[0]])
    kinds = _served_here(session.study, stream.kinds or stream.look_up)
    checks = (check for kind in kinds if (check := _check(kind, session, stream)))
    if not stream.kinds:
        next(checks, None)  # for its time alone
        return iter(pairs)
    return chain(checks, pairs)


def _served_here(study: Study, kinds: Sequence[str]) -> list[str]:
    """Of the kinds that are owed, those that the study can have: one look-up, whatever they are."""
    there = {
        kind: Exists(Triplet.objects.filter(study=study, role=kind))
        for kind in kinds
        if kind in Triplet.Role.values
    }
    if not kinds:
        return []
    has = Study.objects.filter(pk=study.pk).values("pk", **there).get()
    return [kind for kind in kinds if has.get(kind, True)]


def _pairs(session: Session, stream: Stream) -> list[Serving]:
    offers = {triplet.pk: triplet for triplet in _offers(session, stream)}
    chosen = choose(
        [
            Offer(row.pk, row.source_id, _sides(row, simulated=session.annotator.simulated))
            for row in offers.values()
        ],
        stream.pairs,
        last_source=stream.last_source,
        seed=f"{stream.seed}:{stream.position}",
    )
    return [_as_pair(offers, one) for one in chosen]


def _sides(triplet: Triplet, *, simulated: bool) -> Sides:
    lefts, served = (triplet.counted(name, simulated=simulated) for name in ("lefts", "served"))
    return Sides(lefts, max(0, served - lefts))


def _as_pair(offers: dict[int, Triplet], chosen: Chosen) -> Serving:
    return Serving(offers[int(str(chosen.key))], chosen.first_on_left)


def _offers(session: Session, stream: Stream) -> list[Triplet]:
    """Open triplets in the order of the study's allocation, of another source than the last where there are any."""
    orders = _orders(session, stream)
    for rows in orders:
        other = rows.to_serve().exclude(source=stream.last_source)[:OFFERS] if stream.last_source else []
        if triplets := list(other):
            return triplets
    return next((triplets for rows in orders if (triplets := list(rows.to_serve()[:OFFERS]))), [])


def _orders(session: Session, stream: Stream) -> list[TripletQuerySet]:
    study, rules = session.study, session.study.rules
    # Simulated answers must not use up the pairs that people should judge first.
    if rules.allocation == "coverage" or session.annotator.simulated:
        return [Triplet.objects.open_for(session.annotator, study)]
    ranked, sample = (
        Triplet.objects.open_by_priority(session.annotator, study, held_out=held_out)
        for held_out in (False, True)
    )
    random_turn = uniform(f"{stream.seed}:sample:{stream.position}") * 100 < rules.held_out_percent
    return [sample, ranked] if random_turn else [ranked, sample]


def _warm_up(session: Session, stream: Stream) -> Serving | None:
    """A pair from anywhere: finished ones first, then at random, so that warming up uses up no triplet for all."""
    study = session.study
    unseen = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR).unseen_by(session.annotator)
    served = counter("served", simulated=session.annotator.simulated)
    done = unseen.filter(**{f"{served}__gte": study.votes_per_triplet}).order_by(served, "shuffle")
    triplet = _of_another_source(done, stream) or _at_random(unseen, stream, "warm-up")
    if triplet is None:
        return None
    left = next_side(stream.warm_ups, Sides(0, 0), seed=f"{stream.seed}:{triplet.pk}")
    return Serving(triplet, left, warm_up=True)


def _check(kind: str, session: Session, stream: Stream) -> Serving | None:
    """A check of that kind, or None while there is none to serve."""
    if kind == Assignment.Kind.REPEAT:
        return _repeat(session, stream)
    rows = Triplet.objects.filter(study=session.study, role=kind)
    if kind == Assignment.Kind.GOLDEN:
        rows = Triplet.objects.golden(session.study)
    shown = _shown(kind, session)
    triplet = _at_random(rows.unseen_by(session.annotator), stream, kind)
    if triplet is None and kind != Assignment.Kind.GOLDEN:
        triplet = _seen_longest_ago(shown, stream)
    if triplet is None:
        return None
    sides = Sides(sum(one.right_on_left for one in shown), sum(not one.right_on_left for one in shown))
    right_on_left = next_side(sides, Sides(0, 0), seed=f"{stream.seed}:{stream.position}")
    return Serving(triplet, right_on_left == (triplet.known != Triplet.Known.SECOND), kind)


class Shown(NamedTuple):
    """A check that the annotator was shown: whether the right answer was on the left, and when."""

    triplet: int
    source: int
    right_on_left: bool
    issued_at: datetime


def _shown(kind: str, session: Session) -> list[Shown]:
    """The annotator's checks of a kind so far, the first one first."""
    rows = (
        Assignment.objects.filter(HELD, annotator=session.annotator_id, study=session.study_id, kind=kind)
        .order_by("issued_at", "position")
        .values_list("triplet_id", "triplet__source_id", "first_on_left", "triplet__known", "issued_at")
    )
    return [
        Shown(pk, source, left == (known != Triplet.Known.SECOND), at) for pk, source, left, known, at in rows
    ]


def _at_random(rows: TripletQuerySet, stream: Stream, what: str) -> Triplet | None:
    """One of the rows, each equally likely for another annotator or place; of another source where there is one."""
    start = int(uniform(f"{stream.seed}:{what}:{stream.position}") * LARGEST_SHUFFLE)
    ordered = rows.to_serve().order_by("shuffle", "pk")
    following = ordered.filter(shuffle__gte=start)
    if stream.last_source:
        following = following.exclude(source=stream.last_source)
    if triplet := following.first():
        return triplet
    # Round to the first of all; by chance it is of the source before, and then one of the next few is taken.
    first = list(ordered[:OFFERS])
    return next((row for row in first if row.source_id != stream.last_source), first[0] if first else None)


def _of_another_source(rows: TripletQuerySet, stream: Stream) -> Triplet | None:
    rows = rows.to_serve()
    other = rows.exclude(source=stream.last_source).first() if stream.last_source else None
    return other or rows.first()


def _seen_longest_ago(shown: Sequence[Shown], stream: Stream) -> Triplet | None:
    """A study has fewer checks than a long session needs: the one shown least and longest ago comes again."""
    if not shown:
        return None
    times = Counter(one.triplet for one in shown)
    last = {one.triplet: one for one in shown}  # in their order: the last one stays
    others = [one for one in last.values() if one.source != stream.last_source] or list(last.values())
    oldest = min(others, key=lambda one: (times[one.triplet], one.issued_at))
    return Triplet.objects.all().to_serve().get(pk=oldest.triplet)


def _repeat(session: Session, stream: Stream) -> Serving | None:
    """One of the annotator's own counted pairs again, sides swapped; each once, and not one of the last few."""
    again = Assignment.objects.filter(HELD, repeats=OuterRef("pk"))
    own = (
        Assignment.objects.filter(
            annotator=session.annotator,
            study=session.study,
            kind=Assignment.Kind.PAIR,
            warm_up=False,
            state=Assignment.State.ANSWERED,
            triplet__role=Triplet.Role.PAIR,
        )
        .exclude(session=session, position__gt=stream.position - REPEAT_DISTANCE)
        .filter(~Exists(again))
        .order_by("-issued_at")
    )
    candidates = list(own.values_list("pk", "triplet__source_id")[:REPEATABLE])
    others = [pk for pk, source in candidates if source != stream.last_source]
    if not others and len(candidates) > REPEAT_DISTANCE:  # the study has a single source
        others = [pk for pk, _ in candidates]
    if not others:
        return None
    drawn = others[int(uniform(f"{stream.seed}:repeat:{stream.position}") * len(others))]
    before = Assignment.objects.select_related("triplet__source").get(pk=drawn)
    return Serving(before.triplet, not before.first_on_left, Assignment.Kind.REPEAT, repeats=before)

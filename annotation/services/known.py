"""Triplets whose answer is known: sentinels, identical pairs, training pairs; and pairs that an expert answered."""

import math
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from annotation.core.conditions import Condition
from annotation.core.damage import COARSE
from annotation.core.known import KnownPair, Stimulus, identicals, sentinels, training_pairs
from annotation.errors import Refused
from annotation.models import Reconstruction, Source, Study, Triplet
from psychometrics.draws import place

# Training pairs come from a few more photographs than there are pairs: some make none.
SPARE_SOURCES = 3


def set_known(*, triplet: Triplet, known: str) -> None:
    """Stores an expert's answer to a pair, "first" or "second", or removes it with "".

    A pair with an answer can be served as a golden pair, where the study has a rate for those. Raises Refused.
    """
    if known not in ("", *Triplet.Known.values):
        raise Refused(f"An expert's answer must be first, second or empty, not {known!r}.")
    if not Triplet.objects.filter(pk=triplet.pk, role=Triplet.Role.PAIR).update(known=known):
        raise Refused("The answer to this pair follows from how it was made and cannot be changed.")


@transaction.atomic
def make_known_triplets(*, study: Study, sources: Iterable[Source] | QuerySet[Source]) -> None:
    """The triplets that the study's checks and training need of these sources, each once, from what is encoded."""
    rules = study.rules
    if not (rules.needs_anchors or rules.identical_percent):
        return
    by_pk = {source.pk: source for source in sources}
    made: dict[int, list[Reconstruction]] = defaultdict(list)
    rows = Reconstruction.objects.prepared_for(study).filter(source__in=by_pk, state="done")
    for row in rows:
        made[row.source_id].append(row)
    conditions = [one for one in study.conditions() if not one.is_original]
    trained_on = set(_trained_on(study)) if rules.training_pairs else set()
    triplets = [
        triplet
        for pk, rows_of_source in made.items()
        for triplet in _triplets_of(study, by_pk[pk], rows_of_source, conditions, trains=pk in trained_on)
    ]
    Triplet.objects.bulk_create(triplets, ignore_conflicts=True, batch_size=500)


def _trained_on(study: Study) -> Iterable[int]:
    photographs = study.rules.training_pairs + SPARE_SOURCES
    return Source.objects.filter(studies=study).order_by("sha256").values_list("pk", flat=True)[:photographs]


def _triplets_of(
    study: Study, source: Source, made: list[Reconstruction], conditions: list[Condition], *, trains: bool
) -> list[Triplet]:
    rules, rows = study.rules, {row.pk: row for row in made}
    anchors = [_stimulus(row) for row in made if row.is_anchor]
    # The original is no method: no check may stand on it.
    stimuli = [_stimulus(row) for row in made if not row.is_anchor and not row.condition.is_original]
    triplets = []
    if rules.sentinel_percent:
        pairs = sentinels(stimuli, anchors)
        triplets += [_triplet(study, rows, pair, Triplet.Role.SENTINEL) for pair in pairs]
    if trains:
        pairs = training_pairs(stimuli, [one for one in anchors if one.condition.method in COARSE])
        triplets += [_triplet(study, rows, pair, Triplet.Role.TRAINING) for pair in pairs]
    if rules.identical_percent:
        same = identicals(stimuli, conditions, source=source.sha256)
        triplets += [_triplet(study, rows, KnownPair(one, one, 0.0), Triplet.Role.IDENTICAL) for one in same]
    return triplets


def _stimulus(row: Reconstruction) -> Stimulus:
    psnr = math.inf if row.psnr is None else row.psnr
    return Stimulus(row.pk, row.condition, psnr, row.sha256)


def _triplet(study: Study, rows: dict[int, Reconstruction], pair: KnownPair, role: str) -> Triplet:
    closer, other = rows[pair.closer.key], rows[pair.other.key]
    triplet = Triplet.of(study, closer, other, role=role, priority=pair.ease)
    if closer != other:
        triplet.known = Triplet.Known.FIRST if triplet.first == closer else Triplet.Known.SECOND
    triplet.shuffle = _shuffle(study, role, triplet.first, triplet.second)
    return triplet


def _shuffle(study: Study, *names: object) -> int:
    return place(":".join([study.key, *map(str, names)]))

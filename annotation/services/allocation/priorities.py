"""Priorities for studies with the allocation "uncertain": they are set from outside, and pairs are served by them.

A share of the pairs never takes part: these are served at random, as an unbiased sample of the study.
"""

from collections.abc import Mapping
from itertools import islice
from math import isfinite

from django.db import transaction
from django.db.models import F

from annotation.models import Study, Triplet

TOGETHER = 500
# Places that a pair's hash is sorted into; the low digits have no part in the order in which equals are served.
PLACES = 10_000


@transaction.atomic
def set_priorities(*, study: Study, priorities: Mapping[int, float]) -> int:
    """Writes priorities by triplet id, the higher the sooner, and returns how many pairs have one now.

    Other pairs keep their priority; pairs that are held out, and triplets of other studies, are not changed.
    Raises ValueError for a priority that is no finite number.
    """
    bad = [pk for pk, priority in priorities.items() if not isfinite(priority)]
    if bad:
        raise ValueError(f"A priority must be a finite number; those of triplets {bad[:5]} are not.")
    hold_out(study=study)
    pairs = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR, held_out=False)
    pks = iter(priorities)
    changed = 0
    while part := list(islice(pks, TOGETHER)):
        rows = list(pairs.filter(pk__in=part).only("pk", "priority"))
        for row in rows:
            row.priority = priorities[row.pk]
        Triplet.objects.bulk_update(rows, ["priority"])
        changed += len(rows)
    return changed


def hold_out(*, study: Study) -> int:
    """Marks the study's random share of pairs, by their hash, and returns how many there are.

    The hash never changes, so a pair that is held out stays so, and a larger share only adds pairs.
    """
    share = round(study.rules.held_out_percent / 100 * PLACES)
    pairs = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR).annotate(place=F("shuffle") % PLACES)
    pairs.filter(place__lt=share, held_out=False).update(held_out=True, priority=0.0)
    return pairs.filter(held_out=True).count()

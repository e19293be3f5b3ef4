"""What a study will cost, before anything is encoded: reconstructions, pairs, judgments, time, disk."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Sum

from annotation.core.conditions import ORIGINAL, Condition
from annotation.models import Reconstruction, Study
from annotation.models.stimulus import as_decimal
from annotation.reports.processes import availabilities
from codecs_zoo import registry

ENCODES = 2.5
"""Mean number of encodes per target bitrate over Kodak and all codecs; see docs/codecs.md."""

PNG_BYTES = 1.7
"""Bytes of a photograph's PNG for each of its pixels, roughly."""

RECENT = 1000
"""So many of the latest reconstructions tell how fast this machine is."""


@dataclass(frozen=True)
class Cost:
    """What is still to be made. `pairs` is the most there can be: equal reconstructions are no pair.

    `seconds` is encoding on one core, `bytes` is disk; what other studies have made already costs nothing.
    """

    photographs: int
    reconstructions: int
    ready: int
    pairs: int
    judgments: int
    seconds: float
    bytes: int


def recruitment_cost(*, study: Study) -> Cost:
    """The cost of the study as its settings stand."""
    chosen = list(study.codecs)
    shown = study.sources.aggregate(n=Count("pk"), pixels=Sum(F("width") * F("height"), default=0))
    rates = len(study.target_bpps)
    made = _made(study, chosen)
    speeds = seconds_per_megapixel(chosen)
    to_make = {name: rates * shown["pixels"] - made[name][1] for name in chosen}
    conditions = study.conditions()
    pairs = pair_count(study, conditions, photographs=shown["n"])
    own = study.own_pictures.count()
    return Cost(
        photographs=shown["n"],
        reconstructions=shown["n"] * (rates * len(chosen) + (ORIGINAL in conditions)) + own,
        ready=sum(count for count, _ in made.values()) + own,
        pairs=pairs,
        judgments=pairs * study.votes_per_triplet,
        seconds=sum(speeds[name] * pixels / 1e6 for name, pixels in to_make.items()),
        bytes=round(PNG_BYTES * sum(to_make.values())),
    )


def planned_pairs(study: Study) -> int:
    """How many pairs the study's rules make of its photographs; equal reconstructions among them."""
    return pair_count(study, study.conditions(), photographs=study.sources.count())


def pair_count(study: Study, conditions: Iterable[Condition], *, photographs: int) -> int:
    """How many pairs the study's rules make of these conditions of so many photographs."""
    conditions, pairing = list(conditions), study.pairing
    everywhere = len(pairing.pairs(conditions))
    singled = {pair.photograph for pair in pairing.listed} - {""}
    listed = sum(len(pairing.pairs(conditions, name)) - everywhere for name in singled)
    return photographs * everywhere + listed


def costs_of_adding(*, study: Study) -> dict[str, Cost]:
    """What each codec that runs here and is not in the study yet would add to it, by name."""
    others = [codec for codec in registry.codecs() if codec.name not in study.codecs]
    absent = [name for name, availability in availabilities(others).items() if availability.available]
    shown = study.sources.aggregate(n=Count("pk"), pixels=Sum(F("width") * F("height"), default=0))
    rates, made, speeds = len(study.target_bpps), _made(study, absent), seconds_per_megapixel(absent)
    conditions = study.conditions()
    costs, before = {}, pair_count(study, conditions, photographs=shown["n"])
    for name in absent:
        grown = {*conditions, *(Condition(name, bpp) for bpp in study.target_bpps)}
        pairs = pair_count(study, grown, photographs=shown["n"]) - before
        to_make = rates * shown["pixels"] - made[name][1]
        costs[name] = Cost(
            photographs=shown["n"],
            reconstructions=shown["n"] * rates,
            ready=made[name][0],
            pairs=pairs,
            judgments=pairs * study.votes_per_triplet,
            seconds=speeds[name] * to_make / 1e6,
            bytes=round(PNG_BYTES * to_make),
        )
    return costs


def seconds_per_megapixel(codecs: Iterable[str]) -> dict[str, float]:
    """Seconds that a reconstruction takes per megapixel, all its encodes together: measured here, if it was.

    Otherwise the codec's own guess; 0 for a codec that the zoo has lost.
    """
    codecs = list(codecs)
    known = {codec.name: codec.seconds_per_megapixel * ENCODES for codec in registry.codecs()}
    recent = Reconstruction.objects.filter(
        method__in=codecs, state=Reconstruction.State.DONE, encode_ms__isnull=False, encodes__isnull=False
    )
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    rows = recent.order_by("-pk").values_list(
        "method", "encode_ms", "encodes", "source__width", "source__height"
    )
    for codec, encode_ms, encodes, width, height in rows[:RECENT]:
        assert encode_ms is not None and encodes is not None
        spent[codec][0] += encode_ms * encodes / 1e3
        spent[codec][1] += width * height / 1e6
    measured = {codec: seconds / megapixels for codec, (seconds, megapixels) in spent.items()}
    return {name: measured.get(name, known.get(name, 0.0)) for name in codecs}


def _made(study: Study, codecs: list[str]) -> dict[str, tuple[int, int]]:
    """Codec to (reconstructions, pixels) that are there already, whichever study they were made for."""
    done = (
        Reconstruction.objects.filter(
            source__studies=study,
            origin=Reconstruction.Origin.ZOO,
            method__in=codecs,
            level__in=[as_decimal(bpp) for bpp in study.target_bpps],
            state=Reconstruction.State.DONE,
        )
        .order_by()
        .values_list("method")
        .annotate(n=Count("pk"), pixels=Sum(F("source__width") * F("source__height")))
    )
    counts = {codec: (count, pixels) for codec, count, pixels in done}
    return {name: counts.get(name, (0, 0)) for name in codecs}

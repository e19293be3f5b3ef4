"""From sources to reconstructions to triplets."""

import math
import time
import uuid
from collections.abc import Iterable
from typing import Any, cast

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import FieldFile

from annotation.core.allocation import Candidate, pairs_of
from annotation.leases import do_claimed
from annotation.models import Reconstruction, Source, Study, Triplet
from annotation.models.stimulus import ANCHOR_BPP, ANCHOR_CODEC, as_decimal
from annotation.services.known import make_known_triplets
from codecs_zoo import measure, rate, registry
from codecs_zoo.contract import Codec, CodecError, Pixels, bits_per_pixel
from imaging import pictures as image


def plan_reconstructions(*, study: Study) -> list[int]:
    """Makes the rows that the study needs and returns those that wait for an encoder.

    A reconstruction that another study already made is used as it is. Call it in the transaction that opens the
    study: what other workers finish meanwhile waits for it, then finds the study open.
    """
    sources = list(study.sources.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    points = [(codec, as_decimal(bpp)) for codec in study.codecs for bpp in study.target_bpps]
    if study.rules.needs_anchors:
        points.append((ANCHOR_CODEC, ANCHOR_BPP))
    Reconstruction.objects.bulk_create(
        [
            Reconstruction(source=source, codec=codec, target_bpp=bpp)
            for source in sources
            for codec, bpp in points
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    needed = Reconstruction.objects.needed_by(study)
    make_triplets(study=study, reconstructions=needed.filter(state=Reconstruction.State.DONE))
    make_known_triplets(study=study, sources=sources)
    prepared = Reconstruction.objects.prepared_for(study).filter(state=Reconstruction.State.QUEUED)
    # Anchors first, having the lowest bitrate: people are trained before they judge.
    return list(prepared.order_by("source", "target_bpp", "pk").values_list("pk", flat=True))


def encode_reconstruction(*, pk: int) -> str:
    """Claims one reconstruction, makes it, and pairs it with its siblings; returns what became of it."""
    rows = Reconstruction.objects.select_related("source")
    return do_claimed(rows, pk, _make, expected=(CodecError, rate.RateError))


def _make(reconstruction: Reconstruction, lease: uuid.UUID) -> str:
    codec = registry.get(reconstruction.codec)
    pixels = read_pixels(reconstruction.source.image)
    if reconstruction.target_bpp == ANCHOR_BPP:
        found = _with_fewest_bits(codec, pixels)
    else:
        found = rate.encode_to_bpp(codec, pixels, float(reconstruction.target_bpp))
    figures = measure.measure(codec, pixels, found.operating_point, bitstream=found.bitstream)
    reconstruction.image.save("pixels.png", ContentFile(image.encode_png(figures.x_hat)), save=False)
    made = {
        "operating_point": found.operating_point,
        "codec_version": codec.version,
        "libraries": codec.libraries(),
        "kind": codec.kind,
        "file_bytes": figures.file_bytes,
        "payload_bytes": figures.payload_bytes,
        "bpp": figures.bpp,
        "payload_bpp": figures.payload_bpp,
        "reached": found.reached,
        "encodes": found.encodes,
        "encode_ms": found.encode_ms,
        "decode_ms": figures.decode_ms,
        "psnr": figures.psnr if math.isfinite(figures.psnr) else None,
        "ms_ssim": figures.ms_ssim,
        "sha256": figures.sha256,
        "image": reconstruction.image.name,
    }
    if _keep(reconstruction, lease, made):
        return "done"
    reconstruction.image.delete(save=False)
    return "taken over"


def _with_fewest_bits(codec: Codec, pixels: Pixels) -> rate.RateResult:
    """An anchor: the picture at the low end of the codec's knob, whatever that comes to."""
    knob = codec.knob
    settings = codec.complete_settings({knob.name: knob.low if knob.rises else knob.high})
    started = time.perf_counter()
    bitstream = codec.encode(pixels, **settings)
    return rate.RateResult(
        target_bpp=float(ANCHOR_BPP),
        operating_point=settings,
        bitstream=bitstream,
        bpp=bits_per_pixel(len(bitstream), pixels),
        payload_bpp=bits_per_pixel(codec.payload_bytes(bitstream), pixels),
        reached=False,
        encodes=1,
        encode_ms=(time.perf_counter() - started) * 1000,
    )


@transaction.atomic
def _keep(reconstruction: Reconstruction, lease: uuid.UUID, made: dict[str, Any]) -> bool:
    """Marks the row done and pairs it with its siblings, both or neither: a kill leaves no pair unmade.

    False when another worker has taken the row over.
    """
    # Siblings that finish together take turns; otherwise neither would see the other, and both skip their pair.
    Source.objects.select_for_update(no_key=True).get(pk=reconstruction.source_id)
    if not Reconstruction.objects.all().finish(reconstruction.pk, lease, **made):
        return False
    _pair_with_siblings(reconstruction)
    return True


def read_pixels(file: FieldFile) -> Pixels:
    """uint8 HxWx3 of a stored PNG."""
    with file.open("rb") as opened:
        return image.decode_png(opened.read())


def _pair_with_siblings(reconstruction: Reconstruction) -> None:
    siblings = Reconstruction.objects.filter(
        source_id=reconstruction.source_id,
        target_bpp=reconstruction.target_bpp,
        state=Reconstruction.State.DONE,
    )
    studies = Study.objects.filter(sources=reconstruction.source_id).exclude(state=Study.State.DRAFT)
    for study in studies:
        asked = [as_decimal(bpp) for bpp in study.target_bpps]
        if reconstruction.codec in study.codecs and reconstruction.target_bpp in asked:
            make_triplets(study=study, reconstructions=siblings.filter(codec__in=study.codecs))
        make_known_triplets(study=study, sources=[reconstruction.source])


@transaction.atomic
def make_triplets(*, study: Study, reconstructions: Iterable[Reconstruction]) -> None:
    """Every pair within one source and target bitrate, once, without those that are equal in every pixel."""
    made = {row.pk: row for row in reconstructions}
    candidates = [
        Candidate(row.pk, row.source_id, float(row.target_bpp), row.sha256) for row in made.values()
    ]
    triplets = []
    for pair in pairs_of(candidates, salt=study.key):
        one, other = (made[cast(int, key)] for key in (pair.first, pair.second))
        triplets.append(Triplet.of(study, one, other, shuffle=pair.order))
    Triplet.objects.bulk_create(triplets, ignore_conflicts=True, batch_size=500)

"""A worker makes a reconstruction, and pairs it with its siblings."""

import math
import time
import uuid
from collections.abc import Callable, Hashable, Iterable
from typing import Any, cast

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import FieldFile

from annotation.core.allocation import Candidate, make_pairs
from annotation.core.damage import damage
from annotation.core.pairing import ConditionPair
from annotation.leases import run_claimed
from annotation.models import Reconstruction, Source, Study, Triplet
from annotation.services.known import make_known_triplets
from annotation.services.remaking import is_remade, remade_fields, settle_remake
from annotation.services.search_states import continuing_row
from codecs_zoo import measure, rate, registry
from codecs_zoo.contract import Codec, CodecError, Pixels, bits_per_pixel
from imaging.pixels import pixels_sha256
from imaging.png import decode_png, encode_png


def encode_reconstruction(*, pk: int) -> str:
    """Claims one reconstruction, makes it, and pairs it with its siblings; returns what became of it."""
    rows = Reconstruction.objects.select_related("source")
    return run_claimed(rows, pk, _make, expected=(CodecError, rate.RateError))


def _make(reconstruction: Reconstruction, lease: uuid.UUID) -> str:
    pixels = read_pixels(reconstruction.source.image)
    x_hat, made = _made(reconstruction, pixels)
    before = reconstruction.image.name
    reconstruction.image.save("pixels.png", ContentFile(encode_png(x_hat)), save=False)
    kept = _keep(reconstruction, lease, made | {"image": reconstruction.image.name})
    if not kept or (kept == "left" and before):
        reconstruction.image.delete(save=False)
    elif before:
        reconstruction.image.storage.delete(before)
    return kept or "taken over"


def _made(reconstruction: Reconstruction, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """The pixels of a row, and the values to write into it."""
    if reconstruction.origin == Reconstruction.Origin.ORIGINAL:
        return pixels, _as_side(reconstruction)
    if reconstruction.origin == Reconstruction.Origin.DAMAGED:
        return _damaged(reconstruction, pixels)
    return _encode(reconstruction, pixels)


def _damaged(reconstruction: Reconstruction, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    x_hat = damage(pixels, reconstruction.method, int(reconstruction.level))
    return x_hat, {
        "kind": "damaged",
        "psnr": measure.psnr(pixels, x_hat),
        "sha256": pixels_sha256(x_hat),
    }


def _as_side(reconstruction: Reconstruction) -> dict[str, Any]:
    """The original as one of two sides: a file of its own, so that no address or name gives it away."""
    return {"kind": "original", "sha256": reconstruction.source.sha256}


def _encode(reconstruction: Reconstruction, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    codec = registry.get(reconstruction.method)
    with continuing_row(reconstruction.pk):
        if reconstruction.origin == Reconstruction.Origin.COARSE:
            encoded = _with_fewest_bits(codec, pixels)
        else:
            encoded = rate.encode_to_bpp(codec, pixels, float(reconstruction.level))
    figures = measure.measure(codec, pixels, encoded.operating_point, bitstream=encoded.bitstream)
    return figures.x_hat, {
        "operating_point": encoded.operating_point,
        "codec_version": codec.version,
        "libraries": codec.libraries(),
        "kind": codec.kind,
        "file_bytes": figures.file_bytes,
        "payload_bytes": figures.payload_bytes,
        "bpp": figures.bpp,
        "payload_bpp": figures.payload_bpp,
        "reached": encoded.reached,
        "encodes": encoded.encodes,
        "encode_ms": encoded.encode_ms,
        "decode_ms": figures.decode_ms,
        "psnr": figures.psnr if math.isfinite(figures.psnr) else None,
        "ms_ssim": figures.ms_ssim,
        "sha256": figures.sha256,
    }


def _with_fewest_bits(codec: Codec, pixels: Pixels) -> rate.RateResult:
    """An anchor: the picture at the low end of the codec's quality range, whatever its bitrate."""
    knob = codec.knob
    settings = codec.complete_settings({knob.name: knob.low if knob.rises else knob.high})
    started = time.perf_counter()
    bitstream = codec.encode(pixels, **settings)
    return rate.RateResult(
        target_bpp=0.0,
        operating_point=settings,
        bitstream=bitstream,
        bpp=bits_per_pixel(len(bitstream), pixels),
        payload_bpp=bits_per_pixel(codec.payload_bytes(bitstream), pixels),
        reached=False,
        encodes=1,
        encode_ms=(time.perf_counter() - started) * 1000,
    )


@transaction.atomic
def _keep(reconstruction: Reconstruction, lease: uuid.UUID, made: dict[str, Any]) -> str:
    """Marks the row done and pairs it with its siblings, both or neither: a kill leaves no pair unmade.

    "done"; "left" where it was made again and stays as it was; "" when another worker has taken the row over.
    """
    # Siblings that finish together take turns; otherwise neither would see the other, and both skip their pair.
    Source.objects.select_for_update(no_key=True).get(pk=reconstruction.source_id)
    remade = is_remade(reconstruction)
    written = remade_fields(reconstruction, made) if remade else made
    if not Reconstruction.objects.all().finish(reconstruction.pk, lease, **written):
        return ""
    if remade:
        settle_remake(reconstruction, written)
    _pair_with_siblings(reconstruction)
    return "done" if written else "left"


def read_pixels(file: FieldFile) -> Pixels:
    """uint8 HxWx3 of a stored PNG."""
    with file.open("rb") as opened:
        return decode_png(opened.read())


def _pair_with_siblings(reconstruction: Reconstruction) -> None:
    studies = Study.objects.filter(sources=reconstruction.source_id).exclude(state=Study.State.DRAFT)
    for study in studies:
        make_triplets(study=study, reconstructions=_siblings(study, reconstruction), of=reconstruction)
        make_known_triplets(study=study, sources=[reconstruction.source])


def _siblings(study: Study, reconstruction: Reconstruction) -> list[Reconstruction]:
    """What the study shows of the same source and is made; nothing where it does not show the reconstruction."""
    made = Reconstruction.objects.needed_by(study).filter(
        source=reconstruction.source_id, state=Reconstruction.State.DONE
    )
    rows = list(made)
    return rows if reconstruction in rows else []


@transaction.atomic
def make_triplets(
    *, study: Study, reconstructions: Iterable[Reconstruction], of: Reconstruction | None = None
) -> None:
    """The pairs that the study's rules make, each once, without those that are equal in every pixel.

    With `of`, only those that it is a side of.
    """
    made = {row.pk: row for row in reconstructions}
    out = set(_excluded_pairs(study))
    candidates = [Candidate(row.pk, row.source_id, row.condition, row.sha256) for row in made.values()]
    triplets = []
    for pair in make_pairs(candidates, _pairs_for(study), salt=study.key):
        if of is None or of.pk in (pair.first, pair.second):
            one, other = (made[cast(int, key)] for key in (pair.first, pair.second))
            triplet = Triplet.of(study, one, other, shuffle=pair.order)
            if (triplet.first_id, triplet.second_id) not in out:
                triplets.append(triplet)
    Triplet.objects.bulk_create(triplets, ignore_conflicts=True, batch_size=500)


def _excluded_pairs(study: Study) -> Iterable[tuple[int, int]]:
    """Pairs that a researcher took out: they are not made a second time."""
    return Triplet.objects.filter(study=study, role=Triplet.Role.EXCLUDED).values_list("first", "second")


def _pairs_for(study: Study) -> Callable[[Hashable], list[ConditionPair]]:
    """The pairs of a source, by its pk; computed once for all sources without listed pairs."""
    conditions, pairing = study.conditions(), study.pairing
    common = pairing.pairs(conditions)
    if not any(pair.photograph for pair in pairing.listed):
        return lambda source: common
    names: dict[Hashable, str] = dict(study.uses.values_list("source_id", "name"))
    return lambda source: pairing.pairs(conditions, names[source])

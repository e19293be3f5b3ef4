"""The pictures of a preview: made when requested, cached in memory for a while, written nowhere.

A pair of a preview is a place in a sequence that follows from the study alone, so nothing has to be remembered. What
takes long to encode is made by a worker, which leaves the file in the shared cache for an hour.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from django.core.cache import cache

from annotation.core.conditions import Condition
from annotation.core.damage import anchor_settings, damage
from annotation.errors import PreviewPending, StudyNotReady
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.reports.results import cache_works
from annotation.services.encoding import read_pixels
from annotation.services.reach import is_measurable
from annotation.transient import is_transient
from codecs_zoo import rate, registry
from codecs_zoo.contract import CodecError, Pixels
from imaging.png import plain_png
from psychometrics.draws import whole

# Pictures that one process keeps.
CACHED_PICTURES = 12
# Encodes expected to take longer go to a worker: on one core, with so many encodes to find a bitrate.
AT_ONCE_S = 1.0
ENCODES = 6
CACHED_S = 3600
# After a failure that may pass by itself (no memory for a process, a lost store) the codec is tried again this soon.
RETRY_S = 30
# The cached value for a bitrate that cannot be reached.
OUT_OF_REACH = b""
# An anchor of the practice, beside the original itself.
ORIGINAL, DAMAGED = "original", "damaged"


@dataclass(frozen=True)
class PreviewPair:
    """A place of a preview: the source, and the pictures on its left and right."""

    position: int
    source: Source
    left: Condition | str
    right: Condition | str
    training: bool

    @property
    def closer(self) -> str:
        """The right answer of a practice pair."""
        return "left" if self.left == ORIGINAL else "right"


def pair_at(study: Study, position: int) -> PreviewPair:
    """The pair at a place, from 1: practice first.

    Raises StudyNotReady where the draft makes no pair, PreviewPending while a worker makes its pictures.
    """
    if study.ranking_only:
        raise StudyNotReady("These answers were imported without pictures, so there is nothing to preview.")
    sources = list(study.sources.order_by("pk"))
    if not sources:
        raise StudyNotReady("The judging page has nothing to show yet: add a photograph first.")
    source = sources[position % len(sources)]
    drawn = whole(f"{study.key}:preview:{position}")
    training = position <= study.rules.training_pairs
    sides: tuple[Condition | str, Condition | str] = (ORIGINAL, DAMAGED)
    if not training:
        sides = _drawn(study, source, drawn // 2)
    left, right = sides if drawn % 2 else sides[::-1]
    return PreviewPair(position, source, left, right, training)


def _drawn(study: Study, source: Source, drawn: int) -> tuple[Condition, Condition]:
    """The first pair, from a drawn one on, of which both sides can be made. Raises StudyNotReady without one."""
    pairs = _pairs(study, source)
    for offset in range(len(pairs)):
        pair = pairs[(drawn + offset) % len(pairs)]
        missing: list[tuple[int, str, float]] = []
        there = [_is_there(study, source, side, missing) for side in pair]
        if all(there) and missing:
            raise PreviewPending(missing)
        if all(there):
            return pair
    raise StudyNotReady(
        "No pair can be prepared quickly enough for a preview: choose codecs that encode in seconds and "
        "bitrates that they reach, or add your own pictures. Slow codecs appear once the study is open "
        "and they have encoded."
    )


def _is_there(study: Study, source: Source, shown: Condition, missing: list[tuple[int, str, float]]) -> bool:
    """Whether the picture is there, or may be once a worker has made it; then it is added to what is wanted."""
    try:
        return _pixels(study, source, shown) is not None
    except PreviewPending as pending:
        missing.extend(pending.missing)
        return True


def _pairs(study: Study, source: Source) -> list[tuple[Condition, Condition]]:
    name = study.uses.filter(source=source).values_list("name", flat=True).first()
    there = _made(study, source)
    shown = [
        one for one in study.conditions() if one.is_original or one in there or is_measurable(one.method)
    ]
    return study.pairing.pairs(shown, name)


def _made(study: Study, source: Source) -> set[Condition]:
    rows = Reconstruction.objects.needed_by(study).filter(source=source, state=Reconstruction.State.DONE)
    return {Condition(method, float(level)) for method, level in rows.values_list("method", "level")}


def picture_at(study: Study, position: int, slot: str) -> bytes:
    """The PNG of a slot (left, original, right) at a place; as long as any other of its size.

    Raises StudyNotReady.
    """
    pair = pair_at(study, position)
    shown = {"left": pair.left, "right": pair.right, "original": ORIGINAL}[slot]
    known = isinstance(shown, str)
    pixels = _known(pair.source.pk, str(shown)) if known else _pixels(study, pair.source, shown)  # type: ignore[arg-type]
    assert pixels is not None  # a pair is drawn for both its sides being there
    return plain_png(pixels, seed=whole(f"{study.key}:{position}:{slot}") % 2**63)


def _pixels(study: Study, source: Source, shown: Condition) -> Pixels | None:
    if shown.is_original:
        return _known(source.pk, ORIGINAL)
    rows = Reconstruction.objects.needed_by(study).filter(
        source=source, method=shown.method, level=as_decimal(shown.level), state=Reconstruction.State.DONE
    )
    made = rows.first()
    return read_pixels(made.image) if made else _encoded(source.pk, shown.method, shown.level)


@lru_cache(maxsize=CACHED_PICTURES)
def _known(source: int, what: str) -> Pixels:
    row = Source.objects.get(pk=source)
    pixels = read_pixels(row.image)
    if what == ORIGINAL:
        return pixels
    _, name, strength = anchor_settings(row.sha256)
    return damage(pixels, name, strength)


def _encoded(source: int, method: str, level: float) -> Pixels | None:
    """The codec's picture; None if it cannot reach the bitrate, or cannot code the picture.

    Raises PreviewPending where a worker must encode it first.
    """
    bitstream = cache.get(cached_as(source, method, level))
    if bitstream is None:
        pixels = _known(source, ORIGINAL)
        if _expected_s(method, pixels) > AT_ONCE_S and cache_works():
            raise PreviewPending([(source, method, level)])
        bitstream = encode_for_preview(source, method, level)
    return None if bitstream == OUT_OF_REACH else _decoded(method, bitstream)


def encode_for_preview(source: int, method: str, level: float) -> bytes:
    """The codec's file of a source near a bitrate, left in the shared cache; OUT_OF_REACH where there is none."""
    seconds = CACHED_S
    try:
        bitstream = rate.encode_to_bpp(registry.get(method), _known(source, ORIGINAL), level).bitstream
    except (KeyError, CodecError, rate.RateError) as error:
        bitstream = OUT_OF_REACH
        if is_transient(error):
            seconds = RETRY_S
    cache.set(cached_as(source, method, level), bitstream, seconds)
    return bitstream


@lru_cache(maxsize=CACHED_PICTURES)
def _decoded(method: str, bitstream: bytes) -> Pixels:
    return registry.get(method).decode(bitstream)


def _expected_s(method: str, pixels: Pixels) -> float:
    height, width, _ = pixels.shape
    return registry.get(method).seconds_per_megapixel * ENCODES * float(height * width) / 1e6


def cached_as(source: int, method: str, level: float) -> str:
    """Under which name the shared cache has the codec's file."""
    name = hashlib.sha256(f"{source}:{method}:{level:g}".encode()).hexdigest()
    return f"preview-{name}"

"""The pictures of a preview: made when they are looked at, kept in memory for a while, written nowhere.

A pair of a preview is a place in a sequence that follows from the study alone, so nothing has to be remembered.
"""

from dataclasses import dataclass
from functools import lru_cache

from annotation.core.conditions import Condition
from annotation.core.damage import anchor_settings, damage
from annotation.errors import StudyNotReady
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.services.encoding import read_pixels
from annotation.services.reach import is_measurable
from codecs_zoo import rate, registry
from codecs_zoo.contract import CodecError, Pixels
from imaging.png import plain_png
from psychometrics.draws import whole

# Pictures that one process keeps.
KEPT = 64
# An anchor of the practice, beside the original itself.
ORIGINAL, DAMAGED = "original", "damaged"


@dataclass(frozen=True)
class PreviewPair:
    """What stands at a place of a preview: the source, and what is left and right of it."""

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
    """The pair at a place, from 1: practice first. Raises StudyNotReady where the draft makes no pair."""
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
        if all(_pixels(study, source, side) is not None for side in pair):
            return pair
    raise StudyNotReady(
        "No pair can be shown quickly: choose codecs that encode in seconds and bitrates that they reach, or add "
        "pictures of your own. Slow codecs appear once the study is open and they have been encoded."
    )


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


@lru_cache(maxsize=KEPT)
def _known(source: int, what: str) -> Pixels:
    row = Source.objects.get(pk=source)
    pixels = read_pixels(row.image)
    if what == ORIGINAL:
        return pixels
    _, name, strength = anchor_settings(row.sha256)
    return damage(pixels, name, strength)


@lru_cache(maxsize=KEPT)
def _encoded(source: int, method: str, level: float) -> Pixels | None:
    """What the codec makes; None where the bitrate is out of its reach, or it cannot take the picture."""
    codec = registry.get(method)
    try:
        return codec.decode(rate.encode_to_bpp(codec, _known(source, ORIGINAL), level).bitstream)
    except (CodecError, rate.RateError):
        return None

"""Which part of a photograph a draft shows: cut from the whole, which is stored, and moved by cutting it again.

The same photograph and box give the same pixels, so the same source: its hash says which.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from annotation.errors import Refused, StudyFrozen
from annotation.models import Reconstruction, Source, Study, StudySource
from annotation.services.drafts import require_draft
from annotation.services.sources import cropped_source, keep_source
from annotation.services.uncropped import store_uncropped, uncropped_pixels
from imaging.pictures import Box, box_at, box_like
from imaging.png import encode_png

CHANGED = "The photographs of this study changed meanwhile. Reload the page, and try again."


@dataclass(frozen=True)
class Cut:
    """What a draft is to show of a photograph in the place of the source `before`.

    `source` is its row, not saved yet, and `png` the file of its pixels.
    """

    before: int
    source: Source
    png: Path


@dataclass(frozen=True)
class Cuts:
    """The cuts of a draft for pictures of at most `size`, by the photograph's use."""

    size: tuple[int, int]
    by_use: dict[int, Cut]


def move_crop(*, study: Study, source: Source, left: int, top: int) -> Source:
    """The study shows another part of the photograph, as near to `left`, `top` as it has room; the source now shown.

    The photograph is read before the transaction: on SQLite no answer waits meanwhile. Raises StudyFrozen once the
    study was opened, and Refused where own pictures were cut with it, the whole photograph was not kept, or somebody
    else moved it meanwhile.
    """
    require_draft(study)
    use = study.uses.select_related("source").get(source=source)
    _refuse_uncut([use], study)
    pixels = uncropped_pixels(source.photograph)
    if pixels is None:
        raise Refused(_not_kept([use]))
    box = box_at(pixels.shape[:2], _size(study), (left, top))
    moved, shown = cropped_source(pixels, box, source.notes)
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        kept = _show(_unchanged(study, use.pk, source.pk), moved, encode_png(shown))
    if kept.crop is not None:
        store_uncropped(pixels)
    return kept


@contextmanager
def cut_beforehand(study: Study) -> Iterator[Cuts]:
    """What `study`, whose new size of pictures is not saved yet, is to show of its photographs, about the same middles.

    Nothing is written but to a temporary folder. Raises StudyFrozen where one cannot be cut.
    """
    uses = _to_be_cut(study)
    _refuse_uncut(uses, study)
    with TemporaryDirectory() as scratch:
        cuts = {use.pk: _cut(use, study, Path(scratch)) for use in uses}
        if lost := [use for use in uses if cuts[use.pk] is None]:
            raise StudyFrozen(_not_kept(lost))
        yield Cuts(_size(study), {pk: cut for pk, cut in cuts.items() if cut is not None})


def _cut(use: StudySource, study: Study, scratch: Path) -> Cut | None:
    """The cut of one photograph; None where the whole was not kept."""
    before = use.source
    pixels = uncropped_pixels(before.photograph)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    box: Box = tuple(before.crop) if before.crop else (0, 0, width, height)
    source, shown = cropped_source(pixels, box_like((height, width), _size(study), box), before.notes)
    png = scratch / f"{use.pk}.png"
    png.write_bytes(encode_png(shown))
    return Cut(before.pk, source, png)


def recut(*, study: Study, cuts: Cuts) -> None:
    """Shows what `cut_beforehand` has cut, with the study's row locked and its new size saved.

    Raises StudyFrozen where own pictures were added meanwhile, Refused where photographs or the size changed.
    """
    uses = _to_be_cut(study)
    _refuse_uncut(uses, study)
    if cuts.size != _size(study) or {use.pk for use in uses} != cuts.by_use.keys():
        raise Refused(CHANGED)
    for pk, cut in cuts.by_use.items():
        _show(_unchanged(study, pk, cut.before), cut.source, cut.png.read_bytes())


def store_whole(cuts: Cuts) -> None:
    """Keeps the photographs of which the study shows a part now, so that the part can be moved."""
    for cut in cuts.by_use.values():
        if cut.source.crop is not None and (pixels := uncropped_pixels(cut.source.photograph)) is not None:
            store_uncropped(pixels)


def _size(study: Study) -> tuple[int, int]:
    return study.max_width, study.max_height


def _to_be_cut(study: Study) -> list[StudySource]:
    uses = study.uses.select_related("source").order_by("pk")
    return [use for use in uses if _is_of_another_size(use, study)]


def _unchanged(study: Study, use: int, source: int) -> StudySource:
    """The use as it was read. Raises Refused where the study shows something else by now."""
    row = study.uses.select_related("source").filter(pk=use, source=source).first()
    if row is None:
        raise Refused(CHANGED)
    return row


def _is_of_another_size(use: StudySource, study: Study) -> bool:
    """Whether the study would show another part: it is too large, or was cut and may be larger."""
    source = use.source
    if source.width > study.max_width or source.height > study.max_height:
        return True
    return source.crop is not None and (source.width < study.max_width or source.height < study.max_height)


def _refuse_uncut(uses: Iterable[StudySource], study: Study) -> None:
    cut = set(study.own_pictures.values_list("source", flat=True))
    if bound := [str(use) for use in uses if use.source_id in cut]:
        raise StudyFrozen(
            f"Your own pictures of {', '.join(bound)} were cropped together with the photograph. Remove "
            f"the photograph, choose the size, and add the pictures again."
        )


def _not_kept(uses: Iterable[StudySource]) -> str:
    names = ", ".join(map(str, uses))
    return (
        f"Only the shown part of {names} is stored: it was added before whole photographs were kept. "
        f"Remove it and add the photograph again to choose another part."
    )


def _show(use: StudySource, source: Source, png: bytes) -> Source:
    before = use.source
    if source.sha256 == before.sha256:
        return before
    kept = keep_source(source, png)
    StudySource.objects.filter(pk=use.pk).update(source=kept)
    drop_unused(before)
    return kept


def drop_unused(source: Source) -> None:
    """Deletes a cut that no study shows any more and of which nothing was made."""
    if source.crop is None or source.uses.exists() or Reconstruction.objects.filter(source=source).exists():
        return
    image = source.image
    source.delete()
    name = image.name
    if name:
        transaction.on_commit(lambda: image.storage.delete(name))

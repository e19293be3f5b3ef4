"""Which part of a photograph a draft shows: cut from the whole, which is stored, and moved by cutting it again.

The same photograph and box give the same pixels, so the same source: its hash says which.
"""

from collections.abc import Iterable

from django.db import transaction

from annotation.errors import Refused, StudyFrozen
from annotation.models import Reconstruction, Source, Study, StudySource
from annotation.services.drafts import require_draft
from annotation.services.sources import cropped_source, keep_source
from annotation.services.uncropped import store_uncropped, uncropped_pixels
from codecs_zoo.contract import Pixels
from imaging.pictures import Box, box_at, box_like
from imaging.pixels import pixels_sha256
from imaging.png import encode_png


@transaction.atomic
def move_crop(*, study: Study, source: Source, left: int, top: int) -> Source:
    """The study shows another part of the photograph, as near to `left`, `top` as it has room; the source now shown.

    Raises StudyFrozen once the study was opened, and Refused where own pictures were cut with it or the whole
    photograph was not kept.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    use = study.uses.select_related("source").get(source=source)
    _refuse_uncut([use], study)
    pixels = uncropped_pixels(source.photograph)
    if pixels is None:
        raise Refused(_not_kept([use]))
    box = box_at(pixels.shape[:2], (study.max_width, study.max_height), (left, top))
    return _show(use, pixels, box)


def recut(*, study: Study) -> int:
    """Cuts every photograph of a draft to its present size, about the middle that it had; returns how many changed.

    Raises StudyFrozen where that cannot be done, and then changes nothing. Call it in a transaction.
    """
    uses = [
        use for use in study.uses.select_related("source").order_by("pk") if _is_of_another_size(use, study)
    ]
    _refuse_uncut(uses, study)
    uncropped = {use.pk: uncropped_pixels(use.source.photograph) for use in uses}
    if lost := [use for use in uses if uncropped[use.pk] is None]:
        raise StudyFrozen(_not_kept(lost))
    for use in uses:
        pixels = uncropped[use.pk]
        assert pixels is not None
        height, width = pixels.shape[:2]
        before: Box = tuple(use.source.crop) if use.source.crop else (0, 0, width, height)
        _show(use, pixels, box_like((height, width), (study.max_width, study.max_height), before))
    return len(uses)


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


def _show(use: StudySource, pixels: Pixels, box: Box) -> Source:
    before = use.source
    source, shown = cropped_source(pixels, box, before.notes)
    if pixels_sha256(shown) == before.sha256:
        return before
    kept = keep_source(source, encode_png(shown))
    if kept.crop is not None:
        store_uncropped(pixels)
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

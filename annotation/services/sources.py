"""Adding photographs: read, normalised, cropped to fit the study's screen, identified by their pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from annotation.core.splits import assign_split
from annotation.errors import BadPhotograph, DuplicatePhotograph
from annotation.models import Source, Study, StudySource
from annotation.services.drafts import require_draft
from annotation.services.uncropped import store_uncropped
from codecs_zoo.contract import Pixels
from imaging import pictures as image
from imaging.errors import PhotographError
from imaging.pixels import pixels_sha256
from imaging.png import encode_png

CROPPED = "cropped to"


def add_source(
    *,
    study: Study,
    file: Path | BinaryIO | bytes,
    name: str,
    licence: str = "",
    attribution: str = "",
    corner: tuple[int, int] | None = None,
) -> Source:
    """The photograph as a source of the study; what is shown of a large one begins at `corner`, or is its middle.

    Raises BadPhotograph when the file can't become one, DuplicatePhotograph when the study has it already, and
    StudyFrozen once the study was opened. Nothing is written in any of these cases.
    """
    require_draft(study)
    require_words(name=name, licence=licence, attribution=attribution)
    source, shown, whole = read_source(study=study, file=file, name=name, corner=corner)
    words = {"name": name[:200], "licence": licence, "attribution": attribution}
    kept = add_read(study=study, source=source, png=encode_png(shown), words=words)
    if kept.crop is not None:
        store_uncropped(whole)
    return kept


def read_source(
    *, study: Study, file: Path | BinaryIO | bytes, name: str, corner: tuple[int, int] | None = None
) -> tuple[Source, Pixels, Pixels]:
    """What `add_source` would add, with nothing written: the row, its pixels, and those of the whole photograph.

    The study need not be saved yet. Raises BadPhotograph.
    """
    try:
        photograph = image.load_photograph(file)
    except PhotographError as error:
        raise BadPhotograph(f"{name}: {error}") from error
    source, shown = cut_source(study, photograph.pixels, photograph.notes, corner=corner)
    return source, shown, photograph.pixels


@transaction.atomic
def add_read(*, study: Study, source: Source, png: bytes, words: dict[str, str]) -> Source:
    """Adds what `read_source` read. Raises DuplicatePhotograph and StudyFrozen."""
    _lock_draft(study)
    if duplicate := study.uses.filter(source__photograph=source.photograph).first():
        raise DuplicatePhotograph(
            f"{words['name']}: the study already has this photograph, as “{duplicate}”."
        )
    return take_source(study, source, png, words)


def cut_source(
    study: Study, whole: Pixels, notes: Sequence[str] = (), *, corner: tuple[int, int] | None = None
) -> tuple[Source, Pixels]:
    """A row, not saved yet, for a whole photograph in the study, and the pixels that are shown of it.

    They are what the study shows of this photograph already; or as much as fits from the left top `corner`; or its
    middle.
    """
    largest = study.max_width, study.max_height
    known = (
        study.uses.filter(source__photograph=pixels_sha256(whole)) if study.pk else StudySource.objects.none()
    )
    shown = known.select_related("source").first()
    if shown and shown.source.crop:
        box = tuple(shown.source.crop)
    elif corner is not None:
        box = image.box_at(whole.shape, largest, corner)
    else:
        box = image.centre_crop(whole, *largest)[1]
    return cropped_source(whole, box, notes)


def cropped_source(whole: Pixels, box: image.Box, notes: Sequence[str] = ()) -> tuple[Source, Pixels]:
    """A row, not saved yet, for the part `box` of a whole photograph, and its pixels."""
    pixels = image.crop(whole, box)
    cropped = pixels.shape != whole.shape
    cut = f"{CROPPED} {pixels.shape[1]} × {pixels.shape[0]} pixels, the largest size that this study shows"
    known = pixels_sha256(whole)
    source = Source(
        sha256=pixels_sha256(pixels),
        photograph=known,
        split=assign_split(known),
        width=pixels.shape[1],
        height=pixels.shape[0],
        crop=list(box) if cropped else None,
        notes=[*(note for note in notes if not note.startswith(CROPPED)), *[cut] * cropped],
    )
    return source, pixels


@transaction.atomic
def take_source(study: Study, source: Source, png: bytes, words: dict[str, str]) -> Source:
    """The kept row of a source that `cut_source` made, used by the study under these words if it is new there.

    Raises StudyFrozen where the study was opened since its pictures were looked at.
    """
    _lock_draft(study)
    kept = keep_source(source, png)
    study.sources.add(kept, through_defaults=words)
    return kept


@transaction.atomic
def remove_source(*, study: Study, source: Source) -> None:
    """Takes a photograph, and own pictures of it, out of a draft; other studies keep it. Raises StudyFrozen."""
    _lock_draft(study)
    study.own_pictures.remove(*study.own_pictures.filter(source=source))
    study.sources.remove(source)


def _lock_draft(study: Study) -> None:
    """Who adds to a draft, takes from it or opens it waits until the transaction ends. Raises StudyFrozen."""
    require_draft(Study.objects.select_for_update().get(pk=study.pk))


def require_words(*, name: str, **words: str) -> None:
    """Refuses values that the columns cannot hold; SQLite would accept them, Postgres would not."""
    longest = {column.name: column.max_length or 0 for column in StudySource._meta.fields}
    for field, text in words.items():
        most = longest[field]
        if len(text) > most or "\0" in text:
            raise BadPhotograph(f"{name}: its {field} must be plain text of at most {most} characters.")


def keep_source(source: Source, png: bytes) -> Source:
    """The row for these pixels, made if they are new: studies may share a source."""
    existing = Source.objects.filter(sha256=source.sha256).first()
    if existing is None:
        source.image.save("pixels.png", ContentFile(png), save=False)
        try:
            with transaction.atomic():
                source.save()
        except IntegrityError:  # the same pixels were added meanwhile: the file is named by them
            existing = Source.objects.get(sha256=source.sha256)
    return existing or source

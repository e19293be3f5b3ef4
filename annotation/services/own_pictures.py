"""A researcher's own pictures in: a folder is checked whole, then taken whole or refused with every fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from annotation.core.conditions import Condition
from annotation.core.layout import Layout, differ_in_case
from annotation.errors import FaultyPictures
from annotation.models import Reconstruction, Source, Study
from annotation.services.drafts import require_draft
from annotation.services.picture_folder import CheckedPicture, PictureFolder, Progress, read_pictures
from annotation.services.sources import require_words, take_source
from annotation.services.uncropped import store_uncropped
from imaging.pictures import load_photograph


@dataclass(frozen=True)
class Added:
    """What was added."""

    photographs: int
    pictures: int
    conditions: list[Condition]
    missing: list[str]


def add_pictures(
    *,
    study: Study,
    folder: Path,
    allow_missing: bool = False,
    licence: str = "",
    attribution: str = "",
    progress: Progress = lambda stage, done, total: None,
) -> Added:
    """The pictures of `folder` (see annotation.core.layout) as conditions of a draft, whole or not at all.

    A table called pictures.csv at its top says what the files are; without one their names do. Raises
    FaultyPictures with every fault, and StudyFrozen once the study was opened.
    """
    require_draft(study)
    require_words(name="The pictures", licence=licence, attribution=attribution)
    with read_pictures(study=study, folder=folder, progress=progress) as read:
        added = keep_pictures(
            study=study, read=read, allow_missing=allow_missing, licence=licence, attribution=attribution
        )
        store_whole_originals(read)
    return added


def keep_pictures(
    *,
    study: Study,
    read: PictureFolder,
    allow_missing: bool = False,
    licence: str = "",
    attribution: str = "",
) -> Added:
    """The pictures of a folder that was read as conditions of a draft. Raises as `add_pictures` does."""
    require_draft(study)
    missing = [f"{photograph} lacks {condition}" for photograph, condition in read.layout.missing]
    faults = [*read.faults, *_clashes(study, read.layout), *_conflicts(study, read)]
    if missing and not allow_missing:
        faults += [f"{cell}: add the picture, or allow missing cells." for cell in missing]
    if faults:
        raise FaultyPictures(faults)
    taken = _keep(study, read.checked, read.sources, {"licence": licence, "attribution": attribution})
    return Added(len(read.sources), taken, read.layout.conditions, missing)


def store_whole_originals(read: PictureFolder) -> None:
    """Keeps the originals of which the study shows a part, so that the setup can show what is cut off."""
    for picture in read.layout.pictures:
        if picture.condition.is_original and read.sources[picture.photograph].crop is not None:
            store_uncropped(load_photograph(read.folder / picture.file).pixels)


def _clashes(study: Study, layout: Layout) -> Iterator[str]:
    zoo = {Condition(codec, round(bpp, 4)) for codec in study.codecs for bpp in study.target_bpps}
    for condition in layout.conditions:
        if condition in zoo:
            yield (
                f"A built-in codec already makes {condition} in this study: give your method another "
                "name or another level."
            )
    theirs, ours = ({one.method for one in each} for each in (study.conditions(), layout.conditions))
    yield from sorted({*differ_in_case("methods", ours | theirs)} - {*differ_in_case("methods", ours)})


def _conflicts(study: Study, read: PictureFolder) -> Iterator[str]:
    """Another picture for a cell that the study has already, from an earlier folder."""
    rows = study.own_pictures.values_list("source__photograph", "method", "level", "sha256")
    there = {(whole, Condition(method, float(level))): sha256 for whole, method, level, sha256 in rows}
    for one in read.checked:
        photograph, condition = one.picture.photograph, one.picture.condition
        source = read.sources.get(photograph)
        known = there.get((source.photograph, condition)) if source else None
        if known not in (None, one.sha256):
            yield f"The study already has a different picture of {photograph} for {condition}."


def _keep(
    study: Study, checked: list[CheckedPicture], sources: dict[str, Source], words: dict[str, str]
) -> int:
    """Rows and files of everything, or of nothing: files of a failed transaction go with it."""
    rows: list[Reconstruction] = []
    try:
        with transaction.atomic():
            return _write(study, checked, sources, words, rows)
    except BaseException:
        for row in rows:
            row.image.delete(save=False)
        raise


def _write(
    study: Study,
    checked: list[CheckedPicture],
    sources: dict[str, Source],
    words: dict[str, str],
    made: list[Reconstruction],
) -> int:
    kept: dict[str, Source] = {}
    for one in checked:
        name = one.picture.photograph
        if one.picture.condition.is_original:
            kept[name] = take_source(
                study, sources[name], one.cut.read_bytes(), {"name": name[:200], **words}
            )
    pictures = [one for one in checked if not one.picture.condition.is_original]
    shown = [_row(one, kept[one.picture.photograph], made) for one in pictures]
    for one, row in zip(pictures, shown, strict=True):
        _take_bits(one, row, study)
    study.own_pictures.add(*shown)
    return len(shown)


def _take_bits(one: CheckedPicture, row: Reconstruction, study: Study) -> None:
    """The table's bits for a picture that is known already. Raises FaultyPictures where another study has others."""
    if (bpp := one.picture.bpp) in (None, row.bpp):
        return
    if row.bpp is not None and Study.objects.filter(own_pictures=row).exclude(pk=study.pk).exists():
        known = f"{one.picture.file} has {row.bpp:g} bits per pixel in another study, {bpp:g} in the table"
        raise FaultyPictures([f"{known}: correct it, or give the method another name."])
    row.bpp = bpp
    row.save(update_fields=["bpp"])


def _row(one: CheckedPicture, source: Source, made: list[Reconstruction]) -> Reconstruction:
    """The row of this picture; one that is new is added to `made`: two studies may show the same."""
    method, level = one.picture.condition
    existing = Reconstruction.objects.filter(
        source=source, origin=Reconstruction.Origin.OWN, method=method, level=str(level), sha256=one.sha256
    ).first()
    if existing is not None:
        return existing
    row = Reconstruction(
        source=source,
        origin=Reconstruction.Origin.OWN,
        method=method,
        level=str(level),
        kind="own",
        operating_point={"file": one.picture.file},
        bpp=one.picture.bpp,
        psnr=one.psnr,
        sha256=one.sha256,
        state=Reconstruction.State.DONE,
        finished_at=timezone.now(),
    )
    row.image.save("pixels.png", ContentFile(one.cut.read_bytes()), save=False)
    made.append(row)
    row.save()
    return row

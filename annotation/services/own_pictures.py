"""A researcher's own pictures in: a folder is checked whole, then taken whole or refused with every fault."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from annotation.core.conditions import Condition
from annotation.core.layout import (
    OPTIONAL,
    REQUIRED,
    Layout,
    Picture,
    differ_in_case,
    read_names,
    read_table,
    table_of,
)
from annotation.errors import FaultyPictures
from annotation.models import Reconstruction, Source, Study
from annotation.services.drafts import require_draft
from annotation.services.sources import cut_source, require_words, take_source
from annotation.services.uncropped import store_uncropped
from codecs_zoo.contract import Pixels
from codecs_zoo.measure import psnr
from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import pixels_sha256
from imaging.png import decode_png, encode_png
from psychometrics.tables import TableError
from psychometrics.tables import read_table as read_csv

Progress = Callable[[str, int, int], None]
TABLE = "pictures.csv"


@dataclass(frozen=True)
class Added:
    """What was added."""

    photographs: int
    pictures: int
    conditions: list[Condition]
    missing: list[str]


@dataclass(frozen=True)
class _Checked:
    """A picture that can be taken; its pixels, cut to what the study shows, lie as PNG at `cut`."""

    picture: Picture
    cut: Path
    sha256: str


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
    layout = _layout(folder)
    missing = [f"{photograph} lacks {condition}" for photograph, condition in layout.missing]
    faults = [*layout.faults, *_clashes(study, layout)]
    if missing and not allow_missing:
        faults += [f"{cell}: add the picture, or allow missing cells." for cell in missing]
    with TemporaryDirectory() as scratch:
        checker = _Checker(study, folder, Path(scratch))
        counted = count(1)
        for photograph in layout.photographs:
            pictures = [one for one in layout.pictures if one.photograph == photograph]
            checker.look_at(
                photograph, pictures, lambda: progress("pictures", next(counted), len(layout.pictures))
            )
        checker.refuse_duplicates()
        checker.refuse_conflicting()
        if faults := [*faults, *checker.faults]:
            raise FaultyPictures(faults)
        taken = _keep(
            study, checker.checked, checker.sources, {"licence": licence, "attribution": attribution}
        )
    _store_uncropped(folder, layout, checker.sources)
    return Added(len(checker.sources), taken, layout.conditions, missing)


def _store_uncropped(folder: Path, layout: Layout, sources: dict[str, Source]) -> None:
    """Keeps the originals of which the study shows a part, so that the setup can show what is cut off."""
    for picture in layout.pictures:
        if picture.condition.is_original and sources[picture.photograph].crop is not None:
            store_uncropped(load_photograph(folder / picture.file).pixels)


def _layout(folder: Path) -> Layout:
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    table = table_of(names, TABLE)
    if table is None:
        return read_names(names)
    around = table.removesuffix(TABLE)
    try:
        records = read_csv(folder / table).records(REQUIRED, OPTIONAL)
    except TableError as error:
        raise FaultyPictures([str(error).replace(str(folder / table), TABLE)]) from error
    layout = read_table(records, [name.removeprefix(around) for name in names], name=TABLE)
    return replace(layout, pictures=tuple(replace(one, file=around + one.file) for one in layout.pictures))


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


class _Checker:
    """Looks at every picture once, keeps what will be shown of it as PNG, and collects what is wrong."""

    def __init__(self, study: Study, folder: Path, scratch: Path) -> None:
        self._study, self._folder, self._scratch = study, folder, scratch
        self.checked: list[_Checked] = []
        self.sources: dict[str, Source] = {}
        self.faults: list[str] = []

    def look_at(self, photograph: str, pictures: Iterable[Picture], progress: Callable[[], None]) -> None:
        """One photograph; the original first, because the others are held against it."""
        seen: dict[str, str] = {}
        size: tuple[int, ...] = ()
        for picture in sorted(pictures, key=lambda one: not one.condition.is_original):
            progress()
            pixels = self._pixels(picture)
            if pixels is None:
                continue
            if picture.condition.is_original:
                size = pixels.shape[:2]
                self.sources[photograph], shown = cut_source(self._study, pixels)
            elif photograph not in self.sources:
                continue
            elif pixels.shape[:2] != size:
                self.faults.append(_other_size(picture, pixels, size))
                continue
            else:
                shown = _cut(pixels, self.sources[photograph])
            self._refuse_twins(seen, pixels_sha256(pixels), picture)
            self._spool(picture, shown)

    def _pixels(self, picture: Picture) -> Pixels | None:
        path = self._folder / picture.file
        if not path.is_file():  # a table named it: it is a fault already
            return None
        try:
            return load_photograph(path).pixels
        except PhotographError as error:
            self.faults.append(f"{picture.file}: {error}")
            return None

    def _refuse_twins(self, seen: dict[str, str], sha256: str, picture: Picture) -> None:
        if sha256 in seen:
            self.faults.append(
                f"{picture.file} is identical to {seen[sha256]} in every pixel: remove one of them."
            )
        seen.setdefault(sha256, picture.file)

    def _spool(self, picture: Picture, shown: Pixels) -> None:
        cut = self._scratch / f"{len(self.checked)}.png"
        cut.write_bytes(encode_png(shown))
        self.checked.append(_Checked(picture, cut, pixels_sha256(shown)))

    def refuse_conflicting(self) -> None:
        """Another picture for a cell that the study has already, from an earlier folder."""
        rows = self._study.own_pictures.values_list("source__photograph", "method", "level", "sha256")
        there = {(whole, Condition(method, float(level))): sha256 for whole, method, level, sha256 in rows}
        for one in self.checked:
            photograph, condition = one.picture.photograph, one.picture.condition
            source = self.sources.get(photograph)
            known = there.get((source.photograph, condition)) if source else None
            if known not in (None, one.sha256):
                self.faults.append(
                    f"The study already has a different picture of {photograph} for {condition}."
                )

    def refuse_duplicates(self) -> None:
        """Two folders of one photograph; one that the study has already just gets its pictures."""
        first: dict[str, str] = {}
        for name, source in self.sources.items():
            if source.photograph in first:
                self.faults.append(
                    f"The originals of {first[source.photograph]} and {name} are the same photograph."
                )
            first.setdefault(source.photograph, name)


def _other_size(picture: Picture, pixels: Pixels, size: tuple[int, ...]) -> str:
    height, width = pixels.shape[:2]
    return (
        f"{picture.file} has {width} × {height} pixels and its original {size[1]} × {size[0]}: a picture and its "
        "original must have the same size."
    )


def _cut(pixels: Pixels, source: Source) -> Pixels:
    if source.crop is None:
        return pixels
    left, top, width, height = source.crop
    return pixels[top : top + height, left : left + width]


def _keep(study: Study, checked: list[_Checked], sources: dict[str, Source], words: dict[str, str]) -> int:
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
    checked: list[_Checked],
    sources: dict[str, Source],
    words: dict[str, str],
    made: list[Reconstruction],
) -> int:
    kept: dict[str, Source] = {}
    originals: dict[str, Pixels] = {}
    for one in checked:
        name = one.picture.photograph
        if one.picture.condition.is_original:
            png = one.cut.read_bytes()
            kept[name] = take_source(study, sources[name], png, {"name": name[:200], **words})
            originals[name] = decode_png(png)
    pictures = [one for one in checked if not one.picture.condition.is_original]
    shown = [
        _row(one, kept[one.picture.photograph], originals[one.picture.photograph], made) for one in pictures
    ]
    for one, row in zip(pictures, shown, strict=True):
        _take_bits(one, row, study)
    study.own_pictures.add(*shown)
    return len(shown)


def _take_bits(one: _Checked, row: Reconstruction, study: Study) -> None:
    """The table's bits for a picture that is known already. Raises FaultyPictures where another study has others."""
    if (bpp := one.picture.bpp) in (None, row.bpp):
        return
    if row.bpp is not None and Study.objects.filter(own_pictures=row).exclude(pk=study.pk).exists():
        known = f"{one.picture.file} has {row.bpp:g} bits per pixel in another study, {bpp:g} in the table"
        raise FaultyPictures([f"{known}: correct it, or give the method another name."])
    row.bpp = bpp
    row.save(update_fields=["bpp"])


def _row(one: _Checked, source: Source, original: Pixels, made: list[Reconstruction]) -> Reconstruction:
    """The row of this picture; one that is new is added to `made`: two studies may show the same."""
    method, level = one.picture.condition
    existing = Reconstruction.objects.filter(
        source=source, origin=Reconstruction.Origin.OWN, method=method, level=str(level), sha256=one.sha256
    ).first()
    if existing is not None:
        return existing
    png = one.cut.read_bytes()
    error = psnr(original, decode_png(png))
    row = Reconstruction(
        source=source,
        origin=Reconstruction.Origin.OWN,
        method=method,
        level=str(level),
        kind="own",
        operating_point={"file": one.picture.file},
        bpp=one.picture.bpp,
        psnr=None if error == float("inf") else error,
        sha256=one.sha256,
        state=Reconstruction.State.DONE,
        finished_at=timezone.now(),
    )
    row.image.save("pixels.png", ContentFile(png), save=False)
    made.append(row)
    row.save()
    return row

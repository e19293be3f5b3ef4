"""Sources, reconstructions and triplets of an import: new ones, and existing ones with the same pixels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.files.base import ContentFile
from django.utils import timezone

from annotation.core.conditions import LONGEST_METHOD, ORIGINAL_METHOD
from annotation.core.formats.plain import Answer
from annotation.core.splits import assign_split
from annotation.errors import Refused
from annotation.models import Reconstruction, Source, Study, StudySource, Triplet
from annotation.models.stimulus import as_decimal
from annotation.services.imported_draft import ROLES
from annotation.services.imported_pictures import JudgedPair, Original, Progress, Stimulus
from annotation.services.sources import keep_source
from psychometrics.answer_formats import TRAP
from psychometrics.draws import place

# An answer with whether its `a` is the first of the pair.
Placed = tuple[Answer, bool]
# A bitrate of an imported picture is filed under the nearest of these, so that tables by bitrate stay short.
RATES = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SAME_RATE = 1e-3
LICENCES = {
    "mucped23": ("CC BY-SA 4.0", "CID22 reference set, Cloudinary; answers: mucped23, Google, CC BY 4.0")
}


def nearest_rate(bpp: float) -> float:
    """The rate of RATES that an imported bitrate is filed under; 0 where it is not known."""
    return min(RATES, key=lambda rate: abs(rate - bpp)) if bpp > 0 else 0.0


@dataclass(frozen=True)
class Stored:
    """A pair with the rows of its pictures, saved or not yet."""

    pair: JudgedPair
    source: Source
    first: Reconstruction
    second: Reconstruction

    @property
    def names(self) -> str:
        """The pair as the file calls it."""
        return (
            f"{self.pair.original.name}, {self.pair.first.shown.name} against {self.pair.second.shown.name}"
        )


class Catalogue:
    """The rows of an import's pictures. Files of new ones are stored first, rows by `save`."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._sources: dict[str, Source] = {}
        self._rows: dict[str, list[Reconstruction]] = {}
        self._here: dict[tuple[str, str, Decimal], Reconstruction] = {}

    def look_up(self, pairs: Sequence[JudgedPair]) -> list[Stored]:
        """The rows of each pair, as they are in the database or as they will be. Writes nothing."""
        return [
            Stored(pair, source, self._row(source, pair.first), self._row(source, pair.second))
            for pair in pairs
            for source in [self._source(pair.original)]
        ]

    def _source(self, original: Original) -> Source:
        sha256 = original.sha256
        if sha256 not in self._sources:
            known = Source.objects.filter(sha256=sha256).first()
            self._sources[sha256] = known or Source(
                sha256=sha256,
                photograph=sha256,
                split=assign_split(sha256),
                width=original.width,
                height=original.height,
                notes=list(original.notes),
            )
            self._rows[sha256] = self._own_rows(known) if known else []
        return self._sources[sha256]

    def _own_rows(self, source: Source) -> list[Reconstruction]:
        rows = list(source.reconstructions.filter(origin=Reconstruction.Origin.OWN).order_by("pk"))
        here = (
            self._study.own_pictures.filter(source=source)
            if self._study.pk
            else Reconstruction.objects.none()
        )
        of_study = set(here.values_list("pk", flat=True))
        self._here |= {_place(source, row.method, row.level): row for row in rows if row.pk in of_study}
        return rows

    def _row(self, source: Source, stimulus: Stimulus) -> Reconstruction:
        """The source's reconstruction with these pixels, where the file claims nothing else of it; or a new one.

        Within a study one method at one level is one picture of a source.
        """
        for row in self._rows[source.sha256]:
            same = row.sha256 == stimulus.sha256 and _agrees(row, stimulus)
            if same and self._here.setdefault(_place(source, row.method, row.level), row) is row:
                return row
        row = self._new_row(source, stimulus)
        self._rows[source.sha256].append(row)
        self._here[_place(source, row.method, row.level)] = row
        return row

    def _new_row(self, source: Source, stimulus: Stimulus) -> Reconstruction:
        level = as_decimal(nearest_rate(stimulus.bpp or 0.0))
        same = (row for row in self._rows[source.sha256] if row.sha256 == stimulus.sha256)
        taken = {row.method for row in same if row.level == level}
        taken |= {method for sha256, method, at in self._here if (sha256, at) == (source.sha256, level)}
        return Reconstruction(
            source=source,
            origin=Reconstruction.Origin.OWN,
            method=next(name for name in _names(stimulus) if name not in taken),
            level=level,
            operating_point=stimulus.operating_point,
            codec_version=stimulus.version[:200],
            libraries=stimulus.libraries,
            kind="classical" if stimulus.libraries else "unknown",
            file_bytes=stimulus.file_bytes or None,
            bpp=stimulus.bpp,
            psnr=stimulus.psnr,
            sha256=stimulus.sha256,
            state=Reconstruction.State.DONE,
            finished_at=timezone.now(),
        )

    def store_pictures(self, pairs: Sequence[Stored], progress: Progress) -> list[Reconstruction]:
        """Put the pixels of new rows into storage; returns those rows. The caller deletes them if it fails."""
        kept: list[Reconstruction] = []
        new = {
            id(row): (row, stimulus)
            for stored in pairs
            for row, stimulus in ((stored.first, stored.pair.first), (stored.second, stored.pair.second))
            if row._state.adding and not row.image
        }
        for done, (row, stimulus) in enumerate(new.values()):
            progress("storage", done, len(new))
            row.image.save("pixels.png", ContentFile(stimulus.png.read_bytes()), save=False)
            kept.append(row)
        return kept

    def save(self, pairs: Sequence[tuple[Stored, Iterable[Placed]]], format: str) -> list[Triplet]:
        """The triplets of the pairs, with all rows that they need, in the saved study, within a transaction.

        Raises Refused where a trap, in the file or in the study, has another right answer.
        """
        study = self._study
        licence, attribution = LICENCES.get(format, ("", f"imported with “{study.name}”"))
        for original in {stored.source.sha256: stored.pair.original for stored, _ in pairs}.values():
            source = keep_source(self._sources[original.sha256], original.png.read_bytes())
            self._sources[original.sha256] = source
            words = {"name": original.name[:200], "licence": licence, "attribution": attribution[:500]}
            StudySource.objects.get_or_create(study=study, source=source, defaults=words)
        for row in {id(row): row for stored, _ in pairs for row in (stored.first, stored.second)}.values():
            if row._state.adding:
                row.source = self._sources[row.source.sha256]
                row.save()
            study.own_pictures.add(row)
        return [_triplet(study, stored, answers) for stored, answers in pairs]


def _place(source: Source, method: str, level: Decimal) -> tuple[str, str, Decimal]:
    return source.sha256, method, level


def _agrees(row: Reconstruction, stimulus: Stimulus) -> bool:
    """Whether the row is what the file says that the picture is; a file that says nothing agrees with any."""
    shown = stimulus.shown
    alike = shown.bpp is None or abs((row.bpp or 0.0) - shown.bpp) <= SAME_RATE * max(shown.bpp, 1.0)
    return alike and (not shown.codec or row.method in list(_names(stimulus))[:2])


def _names(stimulus: Stimulus) -> Iterable[str]:
    """Names for the row: the codec's, with a piece of the hash where another picture has that name and rate."""
    name = "original file" if stimulus.codec == ORIGINAL_METHOD else stimulus.codec
    marked = f"{name[: LONGEST_METHOD - 9]} {stimulus.sha256[:8]}"
    yield name[:LONGEST_METHOD]
    yield marked
    for number in range(2, 100):
        yield f"{name[: LONGEST_METHOD - 12]} {stimulus.sha256[:8]} {number}"


def _triplet(study: Study, stored: Stored, answers: Iterable[Placed]) -> Triplet:
    first, second = sorted((stored.first, stored.second), key=lambda row: row.pk)
    right, line = _right_answer(stored, answers)
    known = {None: "", first: Triplet.Known.FIRST}.get(right, Triplet.Known.SECOND)
    triplet, _ = Triplet.objects.get_or_create(
        study=study,
        first=first,
        second=second,
        role=ROLES[stored.pair.check],
        defaults={
            "source": first.source,
            "level": as_decimal(nearest_rate(((first.bpp or 0.0) + (second.bpp or 0.0)) / 2)),
            "kind": stored.pair.answers[0][0].kind[:40],
            "shuffle": place(f"{study.key}:{first.sha256}:{second.sha256}"),
            "known": known,
        },
    )
    if right is not None and triplet.known != known:
        raise Refused(
            f"Line {line}: the right answer to the trap {stored.names} is not the one in the study. Nothing was "
            "changed. Import the file under another name."
        )
    return triplet


def _right_answer(stored: Stored, answers: Iterable[Placed]) -> tuple[Reconstruction | None, int]:
    """What is known to be closer in a trap, None for other pairs, and the first line of it. Raises Refused."""
    if stored.pair.check != TRAP:
        return None, 0
    (line, first), *more = sorted(
        (answer.line, (answer.known == "a") == is_first) for answer, is_first in answers
    )
    for other, is_first in more:
        if is_first != first:
            raise Refused(
                f"Line {other}: the right answer to the trap {stored.names} is another one than in line {line}. "
                "Correct one of them."
            )
    return (stored.first if first else stored.second), line

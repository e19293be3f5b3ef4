"""People's answers from elsewhere, as a study that is marked by its origin and takes no more of them.

Every row has an id that follows from the study and what was said, so an import that was killed is run again and
ends in the same rows.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.core.formats.plain import Answer, Answers
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Session, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.services.imported_answers import (
    ASKED_TWICE,
    Progress,
    Voted,
    close_imported,
    record_answers,
)
from annotation.services.imported_pictures import CannotShow, Pictures, Show, nearest_rate, source_of
from annotation.services.studies import free_slug
from psychometrics.draws import place

# Imported photographs are not cropped: people saw them whole.
WHOLE = 20_000


@dataclass(frozen=True)
class Imported:
    """What an import came to. `left_out`: rows by why they could not be used."""

    study: Study
    rows: int
    judgments: int
    new: int
    sources: int
    triplets: int
    annotators: int
    left_out: Counter[str]
    chosen_nearer: float | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        numbers = {name: getattr(self, name) for name in ("rows", "judgments", "new", "sources", "triplets")}
        return numbers | {
            "study": self.study.slug,
            "origin": self.study.origin,
            "annotators": self.annotators,
            "left_out": dict(self.left_out),
            "chosen_has_smaller_squared_error": self.chosen_nearer,
        }


def import_answers(
    *,
    answers: Answers,
    name: str,
    origin: str,
    photograph: Callable[[str], Path],
    show: Show,
    progress: Progress = lambda stage, done, total: None,
) -> Imported:
    """The answers as the study `name`, closed, with `origin` on it. Safe to run again.

    `photograph` gives the file of a source by its name, `show` the pictures of an answer. Raises Refused when a
    study of that name holds something else, or no row can be used.
    """
    study = _study(name, origin)
    left_out = Counter(answers.left_out)
    voted = _pairs(study, answers, photograph, show, left_out, progress)
    if not voted:
        reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in left_out.most_common(3))
        raise Refused(f"None of the {answers.rows} rows can be used: {reasons}. Nothing was imported.")
    new = record_answers(study=study, voted=voted, left_out=left_out, progress=progress)
    close_imported(study=study)
    return Imported(
        study=study,
        rows=answers.rows,
        judgments=sum(len(pair.said) for pair in voted) - left_out[ASKED_TWICE],
        new=new,
        sources=study.sources.count(),
        triplets=len(voted),
        annotators=Session.objects.filter(study=study).count(),
        left_out=left_out,
        chosen_nearer=_chosen_nearer(voted),
    )


def _study(name: str, origin: str) -> Study:
    existing = Study.objects.filter(name=name).first()
    if existing is not None:
        if existing.origin != origin:
            was = f"imported from {existing.origin}" if existing.origin else "judged here"
            raise Refused(f"There is a study “{name}” already, {was}. Choose another name.")
        # Sources are only added to a draft. Nobody can judge meanwhile: a draft gives out no pairs.
        Study.objects.filter(pk=existing.pk).update(state=Study.State.DRAFT)
        existing.refresh_from_db()
        return existing
    return Study.objects.create(
        name=name,
        slug=free_slug(name, or_else="imported"),
        origin=origin,
        codecs=[],
        target_bpps=[],
        max_width=WHOLE,
        max_height=WHOLE,
        min_view_ms=0,
        allow_ties=True,
        votes_per_triplet=1,
        protocol=Protocol.bare().to_json(),
    )


def _pairs(
    study: Study,
    answers: Answers,
    photograph: Callable[[str], Path],
    show: Show,
    left_out: Counter[str],
    progress: Progress,
) -> list[Voted]:
    """What people were shown, as rows, source by source; rows without a picture are counted in `left_out`."""
    by_source: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers.answers:
        by_source[answer.source].append(answer)
    voted: dict[int, Voted] = {}
    for done, (name, said) in enumerate(sorted(by_source.items())):
        progress("pictures", done, len(by_source))
        try:
            pictures = Pictures(study, *source_of(study, answers.format, name, photograph), show)
        except CannotShow as error:
            left_out[str(error)] += len(said)
            continue
        for answer in said:
            try:
                triplet, a_first = _triplet(study, pictures, answer)
            except CannotShow as error:
                left_out[str(error)] += 1
                continue
            voted.setdefault(triplet.pk, Voted(triplet)).said.append((answer, a_first))
    progress("pictures", len(by_source), len(by_source))
    return list(voted.values())


def _triplet(study: Study, pictures: Pictures, answer: Answer) -> tuple[Triplet, bool]:
    """The pair of an answer, and whether its `a` is the triplet's first."""
    a, b = pictures.reconstruction(answer.a), pictures.reconstruction(answer.b)
    if a.sha256 == b.sha256:
        raise CannotShow("both pictures are equal in every pixel")
    first, second = sorted((a, b), key=lambda row: row.pk)
    triplet, _ = Triplet.objects.get_or_create(
        study=study,
        first=first,
        second=second,
        role=Triplet.Role.PAIR,
        defaults={
            "source": pictures.source,
            "level": as_decimal(nearest_rate(((a.bpp or 0.0) + (b.bpp or 0.0)) / 2)),
            "kind": answer.kind[:40],
            "shuffle": place(f"{study.key}:{first.sha256}:{second.sha256}"),
        },
    )
    return triplet, a.pk == first.pk


def _chosen_nearer(voted: Iterable[Voted]) -> float | None:
    """Share of answers whose choice has the larger PSNR: far below one half, the file names the other one."""
    agreed = total = 0
    for pair in voted:
        first, second = pair.triplet.first.psnr, pair.triplet.second.psnr
        if first is None or second is None or first == second:
            continue
        for answer, a_first in pair.said:
            if answer.choice != "tie":
                total += 1
                agreed += ((answer.choice == "a") == a_first) == (first > second)
    return agreed / total if total else None

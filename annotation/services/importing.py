"""People's answers that were collected elsewhere, as a closed study that records their origin.

An import is refused before anything is written, or written completely in one transaction. The
same file, or one with more answers, may be imported again into its study; a file that says otherwise is refused.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.core.formats.excluded import Excluded
from annotation.core.formats.plain import Answers
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Session, Study, Triplet
from annotation.services.imported_answers import (
    ExistingJudgments,
    PairVotes,
    count_votes,
    refuse_differences,
    votes_by_pair,
    write_answers,
)
from annotation.services.imported_pictures import Progress, Show, read_pairs
from annotation.services.imported_rows import Catalogue, Stored
from annotation.services.studies import free_slug

# Imported photographs are not cropped: people saw them whole.
WHOLE = 20_000


@dataclass(frozen=True)
class Imported:
    """The result of an import. `judgments`: those of the file; `new`: those that did not exist before."""

    study: Study
    rows: int
    judgments: int
    new: int
    sources: int
    triplets: int
    annotators: int
    excluded: Excluded
    chosen_nearer: float | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        numbers = {name: getattr(self, name) for name in ("rows", "judgments", "new", "sources", "triplets")}
        return numbers | {
            "study": self.study.slug,
            "origin": self.study.origin,
            "annotators": self.annotators,
            "left_out": dict(self.excluded.counts),
            "left_out_examples": self.excluded.examples,
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
    """The answers as the study `name`, closed, with `origin` on it.

    `photograph` gives the file of a source by its name, `show` the pictures of an answer. Raises Refused, with
    nothing written, where the study of that name was judged here or holds answers that differ, and where no row
    can be used.
    """
    study = imported_study(name) or new_imported_study(name, origin)
    if study.ranking_only:
        raise Refused(f"The study “{study.name}” holds names without pictures. Choose another name.")
    study.annotators_recorded = any(answer.annotator for answer in answers.answers)
    excluded, catalogue = Excluded(), Catalogue(study)
    with tempfile.TemporaryDirectory(prefix="closer-import-") as folder:
        pairs = read_pairs(
            answers, photograph, show, folder=Path(folder), excluded=excluded, progress=progress
        )
        if not pairs:
            reasons = "; ".join(excluded.lines()[:3])
            raise Refused(f"None of the {answers.rows} rows can be used: {reasons}. Nothing was imported.")
        stored = catalogue.look_up(pairs)
        votes = votes_by_pair(stored, excluded)
        held = ExistingJudgments(study)
        refuse_differences(study, held, votes)
        new = _write(study, answers.format, catalogue, stored, votes, held, progress)
    return Imported(
        study=study,
        rows=answers.rows,
        judgments=sum(len(pair_votes.signed) + len(pair_votes.unsigned) for pair_votes in votes),
        new=new,
        sources=study.sources.count(),
        triplets=len(votes),
        annotators=Session.objects.filter(study=study).count(),
        excluded=excluded,
        chosen_nearer=_chosen_nearer(votes),
    )


def _write(
    study: Study,
    format: str,
    catalogue: Catalogue,
    stored: Sequence[Stored],
    votes: Sequence[PairVotes],
    held: ExistingJudgments,
    progress: Progress,
) -> int:
    """All rows in one transaction, after the files; returns the number of new judgments."""
    kept = catalogue.store_pictures(stored, progress)
    try:
        with transaction.atomic():
            study.save()
            triplets: dict[frozenset[int], Triplet] = {}
            for triplet in catalogue.save([pair_votes.stored for pair_votes in votes], format):
                triplets[frozenset((triplet.first_id, triplet.second_id))] = triplet
            placed = [
                (pair_votes, triplets[frozenset((pair_votes.stored.first.pk, pair_votes.stored.second.pk))])
                for pair_votes in votes
            ]
            new = write_answers(study, held, placed, progress)
            count_votes(study=study)
    except BaseException:
        for row in kept:
            row.image.delete(save=False)
        raise
    return new


def valid_name(name: str) -> str:
    """The name without blanks around it. Refuses what a form would refuse too: nothing, or too much."""
    stripped, most = name.strip(), Study._meta.get_field("name").max_length or 0
    if not stripped:
        raise Refused("Give the study a name: it may not be empty.")
    if len(stripped) > most:
        raise Refused(f"The name of a study has at most {most} characters; this one has {len(stripped)}.")
    if not stripped.isprintable():
        raise Refused("The name of the study contains a control character. Remove it.")
    return stripped


def imported_study(name: str, among: QuerySet[Study] | None = None) -> Study | None:
    """The imported study of this name, None where there is none. Refuses one that people judged here.

    `among`: the studies that the importer may add to; without it all.
    """
    existing = (Study.objects.all() if among is None else among).filter(name=name.strip()).first()
    if existing is not None and not existing.origin:
        raise Refused(f"There is already a study “{name}” that was judged here. Choose another name.")
    return existing


def new_imported_study(name: str, origin: str) -> Study:
    """A study that is closed from the start, because it was judged elsewhere. Not saved yet.

    Refuses a name that a study created here could not have.
    """
    now = timezone.now()
    name = valid_name(name)
    return Study(
        name=name,
        slug=free_slug(name, or_else="imported"),
        origin=origin,
        state=Study.State.CLOSED,
        opened_at=now,
        closed_at=now,
        codecs=[],
        target_bpps=[],
        max_width=WHOLE,
        max_height=WHOLE,
        min_view_ms=0,
        allow_ties=True,
        votes_per_triplet=1,
        protocol=Protocol.bare().to_json(),
    )


def _chosen_nearer(votes: Sequence[PairVotes]) -> float | None:
    """Share of answers whose choice has the larger PSNR: far below one half, the file names the other one."""
    agreed = total = 0
    for pair_votes in votes:
        first, second = pair_votes.stored.first.psnr, pair_votes.stored.second.psnr
        if first is None or second is None or first == second:
            continue
        for answer, a_is_first in (*pair_votes.signed.values(), *pair_votes.unsigned):
            if answer.choice != "tie":
                total += 1
                agreed += ((answer.choice == "a") == a_is_first) == (first > second)
    return agreed / total if total else None

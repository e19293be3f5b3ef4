"""People's answers that were collected elsewhere, as a closed study that records their origin.

An import is refused before anything is written, or written completely in one transaction. The
same file, or one with more answers, may be imported again into its study; a file that says otherwise is refused.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.core.formats.excluded import Excluded
from annotation.core.formats.plain import SKIP, Answers
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Assignment, Session, Study
from annotation.services.imported_answers import (
    ExistingAnswers,
    PairVotes,
    count_votes,
    refuse_differences,
    votes_by_pair,
    write_answers,
)
from annotation.services.imported_pictures import Progress, Show, read_pairs
from annotation.services.imported_rows import Catalogue, Stored
from annotation.services.studies import free_slug
from psychometrics.answer_formats import IDENTICAL, TRAP

# Imported photographs are not cropped: people saw them whole.
WHOLE = 20_000


@dataclass(frozen=True)
class Imported:
    """The result of an import. `judgments`: the file's answers to pairs; `repeats`: of those in the study, further ones
    of one annotator to a pair; `new`: rows that did not exist before, with checks and skipped pairs.
    """

    study: Study
    rows: int
    judgments: int
    repeats: int
    traps: int
    identical: int
    skipped: int
    new: int
    sources: int
    triplets: int
    annotators: int
    excluded: Excluded
    chosen_nearer: float | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {name: getattr(self, name) for name in _NUMBERS} | {
            "study": self.study.slug,
            "origin": self.study.origin,
            "left_out": dict(self.excluded.counts),
            "left_out_examples": self.excluded.examples,
            "chosen_has_smaller_squared_error": self.chosen_nearer,
        }


_NUMBERS = (
    *("rows", "judgments", "repeats", "traps", "identical", "skipped", "new"),
    *("sources", "triplets", "annotators"),
)


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
    can be used; AnswersError for a trap whose right answer is not known.
    """
    answers.require_known()
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
        votes = votes_by_pair(stored)
        held = ExistingAnswers(study)
        refuse_differences(study, held, votes)
        new = _write(study, answers.format, catalogue, stored, votes, held, progress)
    return _imported(study, answers.rows, votes, new, excluded)


def _imported(study: Study, rows: int, votes: Sequence[PairVotes], new: int, excluded: Excluded) -> Imported:
    """What an import of so many rows came to."""
    given = Counter(
        SKIP if answer.choice == SKIP else answer.check
        for pair_votes in votes
        for answer, _ in pair_votes.all
    )
    return Imported(
        study=study,
        rows=rows,
        judgments=given[""],
        repeats=study.judgments.filter(kind=Assignment.Kind.REPEAT).count(),
        traps=given[TRAP],
        identical=given[IDENTICAL],
        skipped=given[SKIP],
        new=new,
        sources=study.sources.count(),
        triplets=sum(not pair_votes.stored.pair.check for pair_votes in votes),
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
    held: ExistingAnswers,
    progress: Progress,
) -> int:
    """All rows in one transaction, after the files; returns the number of new judgments."""
    kept = catalogue.store_pictures(stored, progress)
    try:
        with transaction.atomic():
            study.save()
            triplets = catalogue.save([(one.stored, one.all) for one in votes], format)
            placed = list(zip(votes, triplets, strict=True))
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
        for answer, a_is_first in pair_votes.all:
            if answer.is_vote and answer.choice != "tie":
                total += 1
                agreed += ((answer.choice == "a") == a_is_first) == (first > second)
    return agreed / total if total else None

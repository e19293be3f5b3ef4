"""People's answers from elsewhere, as a study that is marked by its origin and takes no more of them.

Every row has an id that follows from the study and what was said, so an import that was killed is run again and
ends in the same rows.
"""

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from annotation.core.formats.plain import Answer, Answers
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Annotator, Assignment, Judgment, Reconstruction, Session, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.services.imported_pictures import CannotShow, Pictures, Show, nearest_rate, source_of

Progress = Callable[[str, int, int], None]

# Imported photographs are not cropped: people saw them whole.
WHOLE = 20_000
TOGETHER = 500


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
    by_source: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers.answers:
        by_source[answer.source].append(answer)
    triplets: dict[int, Triplet] = {}
    votes: dict[int, list[tuple[Answer, bool]]] = defaultdict(list)
    for done, (source_name, said) in enumerate(sorted(by_source.items())):
        progress("pictures", done, len(by_source))
        try:
            source, pixels = source_of(study, answers.format, source_name, photograph)
        except CannotShow as error:
            left_out[str(error)] += len(said)
            continue
        shown = Pictures(source, pixels, show)
        for answer in said:
            try:
                triplet, a_first = _triplet(study, shown, answer)
            except CannotShow as error:
                left_out[str(error)] += 1
                continue
            triplets[triplet.pk] = triplet
            votes[triplet.pk].append((answer, a_first))
    progress("pictures", len(by_source), len(by_source))
    if not votes:
        reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in left_out.most_common(3))
        raise Refused(f"None of the {answers.rows} rows can be used: {reasons}. Nothing was imported.")
    new = _record(study, triplets, votes, left_out, progress)
    _close(study, votes)
    return Imported(
        study=study,
        rows=answers.rows,
        judgments=sum(map(len, votes.values())) - left_out[ASKED_TWICE],
        new=new,
        sources=study.sources.count(),
        triplets=len(votes),
        annotators=Session.objects.filter(study=study).count(),
        left_out=left_out,
        chosen_nearer=_chosen_nearer(triplets, votes),
    )


ASKED_TWICE = "the same annotator answered this pair before: the first answer counts"


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
        slug=_slug(name),
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


def _slug(name: str) -> str:
    stem = slugify(name)[:50] or "imported"
    taken = {"new", *Study.objects.filter(slug__startswith=stem).values_list("slug", flat=True)}
    return next(
        slug for slug in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken
    )


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
            "target_bpp": as_decimal(nearest_rate(((a.bpp or 0.0) + (b.bpp or 0.0)) / 2)),
            "kind": answer.kind[:40],
            "shuffle": _order(study, first, second),
        },
    )
    return triplet, a.pk == first.pk


def _order(study: Study, first: Reconstruction, second: Reconstruction) -> int:
    name = f"{study.key}:{first.sha256}:{second.sha256}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _record(
    study: Study,
    triplets: Mapping[int, Triplet],
    votes: Mapping[int, list[tuple[Answer, bool]]],
    left_out: Counter[str],
    progress: Progress,
) -> int:
    """Writes the judgments that are not there yet; returns how many."""
    people = _People(study)
    drafts: list[tuple[Assignment, Judgment]] = []
    for pk, said in votes.items():
        unknown = 0
        seen = set()
        for answer, a_first in said:
            unknown += not answer.annotator
            # Who gave an unsigned answer is not known: the n-th of a pair goes to the n-th unknown annotator.
            who = answer.annotator or f"unknown {unknown}"
            if who in seen:
                left_out[ASKED_TWICE] += 1
                continue
            seen.add(who)
            drafts.append(_draft(study, triplets[pk], people.session(who), who, answer, a_first))
    before = Judgment.objects.filter(study=study).count()
    for start in range(0, len(drafts), TOGETHER):
        progress("answers", start, len(drafts))
        part = drafts[start : start + TOGETHER]
        with transaction.atomic():
            Assignment.objects.bulk_create([assignment for assignment, _ in part], ignore_conflicts=True)
            Judgment.objects.bulk_create([judgment for _, judgment in part], ignore_conflicts=True)
    progress("answers", len(drafts), len(drafts))
    return Judgment.objects.filter(study=study).count() - before


class _People:
    """One opaque annotator and one session for each name that the answers give."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._sessions: dict[str, Session] = {}

    def session(self, who: str) -> Session:
        if who not in self._sessions:
            annotator, _ = Annotator.objects.get_or_create(pk=_id(self._study, "annotator", who))
            session = Session.objects.filter(study=self._study, annotator=annotator).first()
            self._sessions[who] = session or Session.objects.create(
                study=self._study, annotator=annotator, screen={"imported": True}
            )
        return self._sessions[who]


def _id(study: Study, *parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, ":".join(map(str, ("closer", study.key, *parts))))


def _draft(
    study: Study, triplet: Triplet, session: Session, who: str, answer: Answer, a_first: bool
) -> tuple[Assignment, Judgment]:
    """The rows of one answer; `a` stands on the left, as the order in the file is all that is known of sides."""
    now = timezone.now()
    said = Judgment.Choice.TIE
    if answer.choice != "tie":
        said = Judgment.Choice.FIRST if (answer.choice == "a") == a_first else Judgment.Choice.SECOND
    sides = {"a": Judgment.Side.LEFT, "b": Judgment.Side.RIGHT, "tie": Judgment.Side.TIE}
    assignment = Assignment(
        id=_id(study, "assignment", triplet.pk, who),
        study=study,
        triplet=triplet,
        session=session,
        annotator_id=session.annotator_id,
        position=answer.line,
        first_on_left=a_first,
        state=Assignment.State.ANSWERED,
        issued_at=now,
        expires_at=now,
    )
    timing = {"imported": True, "line": answer.line, "ms": answer.ms}
    judgment = Judgment(
        id=_id(study, "judgment", triplet.pk, who),
        assignment=assignment,
        study=study,
        triplet=triplet,
        annotator_id=session.annotator_id,
        simulated=False,
        answer=sides[answer.choice],
        choice=said,
        onset_ms=0.0,
        answer_ms=answer.ms or 0.0,
        time_origin=0.0,
        timing=timing,
        content_sha256=hashlib.sha256(f"{who}:{answer.choice}:{timing}".encode()).hexdigest(),
        received_at=now,
    )
    return assignment, judgment


@transaction.atomic
def _close(study: Study, votes: Mapping[int, list[tuple[Answer, bool]]]) -> None:
    """Counts the votes into the triplets and closes the study: it was judged elsewhere, and is over."""
    counted = Counter(Judgment.objects.filter(study=study).values_list("triplet_id", flat=True))
    rows = list(Triplet.objects.filter(study=study).select_related("first", "second"))
    for triplet in rows:
        triplet.votes = triplet.served = counted[triplet.pk]
    Triplet.objects.bulk_update(rows, ["votes", "served"], batch_size=TOGETHER)
    for session in Session.objects.filter(study=study):
        answered = Judgment.objects.filter(assignment__session=session).count()
        Session.objects.filter(pk=session.pk).update(answered=answered)
    shown = [row for triplet in rows for row in (triplet.first, triplet.second)]
    study.codecs = sorted({row.codec for row in shown})
    study.target_bpps = sorted({float(row.target_bpp) for row in shown})
    study.state = Study.State.CLOSED
    study.opened_at = study.opened_at or timezone.now()
    study.closed_at = study.closed_at or timezone.now()
    study.save(update_fields=["codecs", "target_bpps", "state", "opened_at", "closed_at"])


def _chosen_nearer(
    triplets: Mapping[int, Triplet], votes: Mapping[int, Iterable[tuple[Answer, bool]]]
) -> float | None:
    """Share of answers whose choice has the larger PSNR: far below one half, the file names the other one."""
    agreed = total = 0
    for pk, said in votes.items():
        first, second = triplets[pk].first.psnr, triplets[pk].second.psnr
        if first is None or second is None or first == second:
            continue
        for answer, a_first in said:
            if answer.choice != "tie":
                total += 1
                agreed += ((answer.choice == "a") == a_first) == (first > second)
    return agreed / total if total else None

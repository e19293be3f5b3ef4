"""Answers collected elsewhere about pictures that are known by name only, as a closed study for ranking.

Nothing of it needs pixels: sources and conditions are names. All answers are kept: several of one annotator to a pair
(each counts, and those after the first are repeats), checks with what was right, and pairs that were skipped.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from annotation.core.conditions import LONGEST_CODEC, ORIGINAL_METHOD, ConditionError, parse_level
from annotation.core.roles import Reach
from annotation.errors import Refused
from annotation.models import Assignment, Judgment, Membership, Study, Triplet
from annotation.services.imported_answers import People, count_votes, id_in_study
from annotation.services.imported_draft import ImportedAnswer, enrol, write_imported
from annotation.services.importing import imported_study, new_imported_study
from annotation.services.members import set_role
from annotation.services.named_rows import Key, in_order, named_triplets, shows, triplet_key
from psychometrics.answer_formats import IDENTICAL, TRAP, Row
from psychometrics.answers import AnswerRows, read_answer_rows
from psychometrics.comparisons import FIRST, SECOND, TIE
from psychometrics.conditions import AnswersError

LONGEST_SOURCE = 200
# By upload: more would take longer than a request may.
MOST_ROWS = 20_000
LONGEST_FILE_NAME = 60
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ImportedRanking:
    """The result of an import. `answers`: those to pairs; `repeats`: of them, further ones of one annotator to a pair;
    `new`: rows that were not there before.
    """

    study: Study
    rows: int
    answers: int
    repeats: int
    traps: int
    identical: int
    skipped: int
    new: int
    sources: int
    conditions: int
    annotators: int | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        numbers = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "study"}
        return {"study": self.study.slug, "origin": self.study.origin} | numbers


class _Given(NamedTuple):
    """A row of the file with its line, who gave it ("" where unknown), and an id that follows from what it says and
    how often.
    """

    line: int
    row: Row
    who: str
    id: UUID


@transaction.atomic
def import_ranking(
    *, answers: AnswerRows, name: str, owner: User | None = None, among: QuerySet[Study] | None = None
) -> ImportedRanking:
    """The answers as the study `name`, closed, that holds names and no pixels.

    The same file again adds nothing, one with more rows adds those; a new study is the `owner`'s. Raises Refused, with
    nothing written, where the study of that name is another one or holds answers that the file lacks, and, with the
    line, for a name or level that cannot be kept.
    """
    existing = imported_study(name, among)
    study = _locked(existing) if existing else _new_study(name, answers)
    if not study.ranking_only:
        raise Refused(f"The study “{study.name}” was imported with its pictures. Choose another name.")
    study.annotators_recorded = any(row.annotator for _, row in answers.rows)
    given = _given(study, answers.rows)
    new = _refuse_differences(study, given, answers.name)
    if existing:
        study.save(update_fields=["annotators_recorded"])
    else:
        _save_new(study, owner)
    # Of all rows, so that a right answer that changed is noticed.
    triplets = named_triplets(study, [(one.line, one.row) for one in given])
    _write(study, new, triplets)
    count_votes(study=study)
    return _summary(study, answers, len(new))


def import_upload(
    *, answers: "UploadedFile[bytes]", name: str, owner: User
) -> tuple[ImportedRanking, list[str]]:
    """The same from an uploaded file, with notes on how it was read.

    Adds to a study of that name that the researcher runs, else makes one. Raises Refused also for a file that cannot be
    read, and for one that takes too long to write while somebody waits.
    """
    with TemporaryDirectory() as folder:
        # The end of a long name: file systems count its bytes, and its characters may have four each.
        path = Path(folder, Path(answers.name or "answers.csv").name[-LONGEST_FILE_NAME:])
        path.write_bytes(answers.read())
        try:
            read = read_answer_rows(path)
        except AnswersError as error:
            raise Refused(str(error).replace(f"{folder}/", "")) from error
    if len(read.rows) > MOST_ROWS:
        raise Refused(
            f"The file has {len(read.rows):,} answers. At most {MOST_ROWS:,} are imported by upload: use manage.py "
            "import_judgments --ranking-only."
        )
    read = replace(read, name=path.name)
    theirs = Study.objects.reached_by(owner, Reach.RUN)
    return import_ranking(answers=read, name=name, owner=owner, among=theirs), list(read.notes)


def _new_study(name: str, answers: AnswerRows) -> Study:
    study = new_imported_study(name, f"imported from {answers.format}: {Path(answers.name).name}"[:200])
    study.ranking_only = True
    return study


def _locked(study: Study) -> Study:
    """The same, held until the transaction ends: of two imports at once, one sees the answers of the other."""
    return Study.objects.select_for_update(no_key=True).get(pk=study.pk)


def _save_new(study: Study, owner: User | None) -> None:
    try:
        with transaction.atomic():
            study.save()
    except IntegrityError as error:  # its slug was free a moment ago
        raise Refused(
            f"A study named “{study.name}” was made at the same moment. Import the file again."
        ) from error
    if owner is not None:
        set_role(study=study, user=owner, role=Membership.Role.OWNER)


def _given(study: Study, rows: Iterable[tuple[int, Row]]) -> list[_Given]:
    """The rows with ids: equal rows of one annotator are distinguished by their number."""
    times: Counter[tuple[Any, ...]] = Counter()
    given = []
    for line, row in rows:
        _check(line, row)
        content = (*_pair(row), row.annotator, row.first == in_order(row)[0], row.outcome, row.ms)
        times[content] += 1
        given.append(_Given(line, row, row.annotator, id_in_study(study, "row", *content, times[content])))
    return given


def _pair(row: Row) -> tuple[Any, ...]:
    return (row.check, row.source, *in_order(row))


def _new(given: Sequence[_Given], held: AbstractSet[UUID]) -> list[_Given]:
    """The rows that are not held. The n-th unsigned answer to a pair is the n-th unknown annotator's, as in every
    import, counted on from those that are held: otherwise it would be another answer of somebody.
    """
    unsigned = Counter(_pair(one.row) for one in given if not one.who and one.id in held)
    new = []
    for one in given:
        if one.id in held:
            continue
        if not one.who:
            unsigned[_pair(one.row)] += 1
            one = one._replace(who=f"{UNKNOWN} {unsigned[_pair(one.row)]}")
        new.append(one)
    return new


def _check(line: int, row: Row) -> None:
    for one in (row.first, row.second):
        if one.method == ORIGINAL_METHOD and one.level is not None:
            raise Refused(f"Line {line}: {one}: the original has no level. Write {ORIGINAL_METHOD} alone.")
        if one.level is not None:
            try:
                parse_level(f"{one.level:.12g}", of=str(one))
            except ConditionError as error:
                raise Refused(f"Line {line}: {error}") from error
        if len(one.method) > LONGEST_CODEC:
            raise Refused(
                f"Line {line}: the method has more than {LONGEST_CODEC} characters: {one.method[:40]}…"
            )
    if len(row.source) > LONGEST_SOURCE:
        raise Refused(
            f"Line {line}: the source has more than {LONGEST_SOURCE} characters: {row.source[:40]}…"
        )


def _refuse_differences(study: Study, given: Sequence[_Given], name: str) -> list[_Given]:
    """The rows that are new. Raises Refused where the study holds some that the file lacks."""
    held = set(Assignment.objects.filter(study_id=study.pk or 0).values_list("pk", flat=True))
    missing = held - {one.id for one in given}
    if missing:
        lacking = Assignment.objects.select_related("triplet__first", "triplet__second").get(pk=min(missing))
        pair = f"{lacking.triplet.first.condition} against {lacking.triplet.second.condition}"
        raise Refused(
            f"The study “{study.name}” holds {len(missing):,} answers that {name} lacks or gives otherwise, one of "
            f"them about {pair}. Nothing was changed. Import the file under another name, or give one with the "
            "study's answers and more."
        )
    return _new(given, held)


def _write(study: Study, given: Sequence[_Given], triplets: dict[Key, Triplet]) -> None:
    people = People(study, {one.who for one in given})
    write_imported(study, [_imported(one, triplets[triplet_key(one.row)], people) for one in given])
    enrol(study, {people.session(one.who).annotator_id for one in given if one.row.annotator})


_SIDES = {FIRST: Judgment.Side.LEFT, SECOND: Judgment.Side.RIGHT, TIE: Judgment.Side.TIE}


def _imported(given: _Given, triplet: Triplet, people: People) -> ImportedAnswer:
    row = given.row
    return ImportedAnswer(
        id=given.id,
        triplet=triplet,
        session=people.session(given.who),
        line=given.line,
        first_on_left=shows(triplet.first, row.first),
        answer=None if row.outcome is None else _SIDES[row.outcome],
        ms=row.ms,
        content=str(given.id),
        check=row.check,
    )


def _summary(study: Study, answers: AnswerRows, new: int) -> ImportedRanking:
    kinds = Counter(row.check for _, row in answers.rows if row.outcome is not None)
    repeats = Judgment.objects.filter(study=study, kind=Assignment.Kind.REPEAT).count()
    return ImportedRanking(
        study=study,
        rows=len(answers.rows),
        answers=kinds[""],
        repeats=repeats,
        traps=kinds[TRAP],
        identical=kinds[IDENTICAL],
        skipped=sum(row.outcome is None for _, row in answers.rows),
        new=new,
        sources=study.sources.count(),
        conditions=len(study.conditions()),
        annotators=study.sessions.count() if study.annotators_recorded else None,
    )

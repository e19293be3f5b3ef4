"""The answers of an import as sessions, assignments and judgments; an earlier import's must agree with them."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.core.formats.excluded import Excluded
from annotation.core.formats.plain import Answer
from annotation.errors import Refused
from annotation.models import Annotator, Assignment, Judgment, Session, Study, Triplet
from annotation.services.counters import recount
from annotation.services.imported_draft import draft_assignment, draft_judgment
from annotation.services.imported_pictures import Progress
from annotation.services.imported_rows import Stored

TWICE = "the same annotator answered this pair before: the first answer counts"
TOGETHER = 500
DIFFERENCES_SHOWN = 3

# What an answer says: the place of the chosen picture ("first", "second", "tie") and its time in ms.
Content = tuple[str, float | None]
Key = tuple[int, int]


@dataclass
class PairVotes:
    """One pair's answers: those of named annotators by name, and the anonymous ones."""

    stored: Stored
    signed: dict[str, tuple[Answer, bool]] = field(default_factory=dict)
    unsigned: list[tuple[Answer, bool]] = field(default_factory=list)

    @property
    def names(self) -> str:
        """The pair as the file calls it."""
        pair = self.stored.pair
        return f"{pair.original.name}, {pair.first.shown.name} against {pair.second.shown.name}"


def votes_by_pair(pairs: Iterable[Stored], excluded: Excluded) -> list[PairVotes]:
    """The answers by pair of rows; whoever answers a pair twice is counted once."""
    by_rows: dict[frozenset[int], PairVotes] = {}
    for stored in pairs:
        # Rows that are new have no key yet, but are one object for one picture.
        pair_votes = by_rows.setdefault(frozenset((id(stored.first), id(stored.second))), PairVotes(stored))
        for answer, a_is_first in stored.pair.answers:
            first = a_is_first == (stored.first is pair_votes.stored.first)
            if not answer.annotator:
                pair_votes.unsigned.append((answer, first))
            elif answer.annotator in pair_votes.signed:
                excluded.add(TWICE, f"line {answer.line}")
            else:
                pair_votes.signed[answer.annotator] = (answer, first)
    return list(by_rows.values())


class ExistingJudgments:
    """The judgments that the study holds, by pair, to be compared with a file's."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._by_pair: dict[Key, dict[uuid.UUID, Content]] = defaultdict(dict)
        self._names: dict[Key, str] = {}
        rows = Judgment.objects.filter(study_id=study.pk or 0).select_related(
            "triplet__first", "triplet__second"
        )
        for judgment in rows.iterator(chunk_size=2000):
            triplet = judgment.triplet
            key = (triplet.first_id, triplet.second_id)
            self._by_pair[key][judgment.annotator_id] = (judgment.choice, judgment.timing.get("ms"))
            self._names[key] = f"{_condition_name(triplet.first)} against {_condition_name(triplet.second)}"

    def differences(self, votes: Sequence[PairVotes]) -> list[str]:
        """A sentence for each answer that is held and that the file does not give, or gives otherwise."""
        differing = []
        given = {key: pair_votes for pair_votes in votes if (key := self._key(pair_votes)) is not None}
        for key, held in self._by_pair.items():
            differing += (
                self._differing(given[key], held, key)
                if key in given
                else [f"{self._names[key]} is not in it"]
            )
        return differing

    def new(self, pair_votes: PairVotes) -> Iterator[tuple[str, Answer, bool]]:
        """(who, answer, whether `a` is the first of the pair) of the answers that are not held."""
        key = self._key(pair_votes)
        held = self._by_pair.get(key, {}) if key is not None else {}
        for name, (answer, first) in pair_votes.signed.items():
            if _annotator_id(self._study, name) not in held:
                yield name, answer, first
        number = sum(1 for _ in self._unknown(held))
        already = Counter(self._unknown(held))
        for answer, first in pair_votes.unsigned:
            content = _content(pair_votes, answer, first)
            if already[content]:
                already[content] -= 1
                continue
            number += 1
            # Who gave an unsigned answer is not known: the n-th of a pair goes to the n-th unknown annotator.
            yield f"unknown {number}", answer, first

    def _key(self, pair_votes: PairVotes) -> Key | None:
        first, second = sorted((pair_votes.stored.first.pk or 0, pair_votes.stored.second.pk or 0))
        return (first, second) if first else None

    def _unknown(self, held: Mapping[uuid.UUID, Content]) -> Iterator[Content]:
        for number in range(1, len(held) + 1):
            content = held.get(_annotator_id(self._study, f"unknown {number}"))
            if content is not None:
                yield content

    def _differing(self, pair_votes: PairVotes, held: Mapping[uuid.UUID, Content], key: Key) -> Iterator[str]:
        signed = {_annotator_id(self._study, name): name for name in pair_votes.signed}
        for annotator, content in held.items():
            if annotator in signed:
                given = _content(pair_votes, *pair_votes.signed[signed[annotator]])
                if given != content:
                    yield (
                        f"{pair_votes.names}: “{signed[annotator]}” chose {_choice(pair_votes, given)} in "
                        f"the file but {_choice(pair_votes, content)} in the study"
                    )
        unsigned = Counter(_content(pair_votes, *one) for one in pair_votes.unsigned)
        missing = Counter(self._unknown(held)) - unsigned
        for content, count in missing.items():
            choice = _choice(pair_votes, content)
            yield f"{pair_votes.names}: {count} unsigned for {choice} in the study are not in the file"
        unnamed = (
            len(held)
            - sum(1 for annotator in held if annotator in signed)
            - sum(1 for _ in self._unknown(held))
        )
        if unnamed:
            yield f"{pair_votes.names}: {unnamed} in the study are by annotators whom the file does not name"


def refuse_differences(study: Study, held: ExistingJudgments, votes: Sequence[PairVotes]) -> None:
    """Refuse a file that does not hold all that the study holds, naming what differs."""
    differing = held.differences(votes)
    if not differing:
        return
    more = len(differing) - DIFFERENCES_SHOWN
    shown = "; ".join(differing[:DIFFERENCES_SHOWN] + [f"and {more} more"] * (more > 0))
    raise Refused(
        f"The study “{study.name}” contains answers that differ from this file's: {shown}. Nothing was "
        f"changed. Import the file under another name, or use a file that contains all answers of the study."
    )


def write_answers(
    study: Study, held: ExistingJudgments, votes: Sequence[tuple[PairVotes, Triplet]], progress: Progress
) -> int:
    """Writes the judgments that are not there yet; returns how many. To be called in a transaction."""
    new = [
        (name, answer, triplet, _a_is_triplets_first(pair_votes, triplet, first))
        for pair_votes, triplet in votes
        for name, answer, first in held.new(pair_votes)
    ]
    people = People(study, {name for name, *_ in new})
    drafts = [
        _draft(study, triplet, people.session(name), name, answer, a_first)
        for name, answer, triplet, a_first in new
    ]
    for start in range(0, len(drafts), TOGETHER):
        progress("answers", start, len(drafts))
        part = drafts[start : start + TOGETHER]
        Assignment.objects.bulk_create([assignment for assignment, _ in part])
        Judgment.objects.bulk_create([judgment for _, judgment in part])
    progress("answers", len(drafts), len(drafts))
    return len(drafts)


def _a_is_triplets_first(pair_votes: PairVotes, triplet: Triplet, a_is_first: bool) -> bool:
    return a_is_first == (pair_votes.stored.first.pk == triplet.first_id)


def _condition_name(row: Any) -> str:
    return str((row.operating_point or {}).get("imported", row.method))


def _content(pair_votes: PairVotes, answer: Answer, a_is_first: bool) -> Content:
    """As the study holds it: by the order of the rows' keys."""
    if answer.choice == "tie":
        return Judgment.Choice.TIE, answer.ms
    chose_first = (answer.choice == "a") == a_is_first
    in_order = (pair_votes.stored.first.pk or 0) < (pair_votes.stored.second.pk or 0)
    return (Judgment.Choice.FIRST if chose_first == in_order else Judgment.Choice.SECOND), answer.ms


def _choice(pair_votes: PairVotes, content: Content) -> str:
    choice, ms = content
    in_order = (pair_votes.stored.first.pk or 0) < (pair_votes.stored.second.pk or 0)
    pair = pair_votes.stored.pair
    names = (pair.first.shown.name, pair.second.shown.name)[:: 1 if in_order else -1]
    chosen = {"first": names[0], "second": names[1]}.get(choice, "neither")
    return chosen if ms is None else f"{chosen} in {ms:g} ms"


class People:
    """One opaque annotator and one session for each name that the answers give, made where they are not there yet.

    All of them at once: one by one, many people would hold the database for a minute.
    """

    def __init__(self, study: Study, names: Iterable[str]) -> None:
        self._ids = {name: _annotator_id(study, name) for name in names}
        annotators = [Annotator(pk=pk) for pk in self._ids.values()]
        Annotator.objects.bulk_create(annotators, batch_size=TOGETHER, ignore_conflicts=True)
        held = Session.objects.filter(study=study).order_by("-pk")
        self._sessions = {session.annotator_id: session for session in held}
        new = [
            Session(study=study, annotator_id=pk, screen={"imported": True})
            for pk in self._ids.values()
            if pk not in self._sessions
        ]
        Session.objects.bulk_create(new, batch_size=TOGETHER)
        self._sessions |= {session.annotator_id: session for session in new}

    def session(self, name: str) -> Session:
        """The one session of that name."""
        return self._sessions[self._ids[name]]


def _annotator_id(study: Study, name: str) -> uuid.UUID:
    return id_in_study(study, "annotator", name)


def id_in_study(study: Study, *parts: object) -> uuid.UUID:
    """An id that follows from the study and the identified object."""
    return uuid.uuid5(uuid.NAMESPACE_URL, ":".join(map(str, ("closer", study.key, *parts))))


_SIDES = {"a": Judgment.Side.LEFT, "b": Judgment.Side.RIGHT, "tie": Judgment.Side.TIE}


def _draft(
    study: Study, triplet: Triplet, session: Session, name: str, answer: Answer, a_first: bool
) -> tuple[Assignment, Judgment]:
    assignment = draft_assignment(
        id=id_in_study(study, "assignment", triplet.pk, name),
        triplet=triplet,
        session=session,
        line=answer.line,
        first_on_left=a_first,
    )
    judgment = draft_judgment(
        id=id_in_study(study, "judgment", triplet.pk, name),
        assignment=assignment,
        answer=_SIDES[answer.choice],
        ms=answer.ms,
        content=f"{name}:{answer.choice}",
    )
    return assignment, judgment


def count_votes(*, study: Study) -> None:
    """Counts the votes into the triplets and the sessions."""
    recount(triplets=study.triplets.values_list("pk", flat=True))
    given = Assignment.objects.filter(study=study, state=Assignment.State.ANSWERED)
    answered = Counter(given.values_list("session_id", flat=True))
    sessions = list(Session.objects.filter(study=study))
    for session in sessions:
        session.answered = answered[session.pk]
    Session.objects.bulk_update(sessions, ["answered"], batch_size=TOGETHER)

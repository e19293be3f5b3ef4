"""The answers of an import as sessions, assignments and judgments; an earlier import's must agree with them."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from annotation.core.formats.plain import SKIP, Answer
from annotation.errors import Refused
from annotation.models import Annotator, Assignment, Judgment, Session, Study, Triplet
from annotation.services.counters import recount
from annotation.services.imported_draft import ROLES, TOGETHER, ImportedAnswer, enrol, write_imported
from annotation.services.imported_pictures import Progress
from annotation.services.imported_rows import Placed, Stored

DIFFERENCES_SHOWN = 3
SKIPPED = "skipped"

# What an answer says: the place of the chosen picture ("first", "second", "tie"), or that it was skipped, and its ms.
Content = tuple[str, float | None]
# The keys of both pictures, and the role of their triplet.
Key = tuple[int, int, str]


@dataclass
class PairVotes:
    """One pair's answers, or those to it as a check: those of named annotators by name, and the anonymous ones."""

    stored: Stored
    signed: dict[str, list[Placed]] = field(default_factory=lambda: defaultdict(list))
    unsigned: list[Placed] = field(default_factory=list)

    @property
    def names(self) -> str:
        """The pair as the file calls it."""
        return self.stored.names

    @property
    def all(self) -> Iterator[Placed]:
        """All of them."""
        return chain(*self.signed.values(), self.unsigned)


def votes_by_pair(pairs: Iterable[Stored]) -> list[PairVotes]:
    """The answers by pair of rows and kind of check."""
    by_rows: dict[tuple[frozenset[int], str], PairVotes] = {}
    for stored in pairs:
        # Rows that are new have no key yet, but are one object for one picture.
        key = frozenset((id(stored.first), id(stored.second))), stored.pair.check
        pair_votes = by_rows.setdefault(key, PairVotes(stored))
        for answer, a_is_first in stored.pair.answers:
            placed = answer, a_is_first == (stored.first is pair_votes.stored.first)
            named = pair_votes.signed[answer.annotator] if answer.annotator else pair_votes.unsigned
            named.append(placed)
    return list(by_rows.values())


class ExistingAnswers:
    """The answers that the study holds, by pair, to be compared with a file's."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._by_pair: dict[Key, dict[uuid.UUID, Counter[Content]]] = defaultdict(dict)
        self._names: dict[Key, str] = {}
        held = {"study_id": study.pk or 0}
        answered = Judgment.objects.filter(**held).select_related("triplet__first", "triplet__second")
        for judgment in answered.iterator(chunk_size=2000):
            self._add(judgment, (judgment.choice, judgment.timing.get("ms")))
        skipped = Assignment.objects.filter(state=Assignment.State.SKIPPED, **held)
        for assignment in skipped.select_related("triplet__first", "triplet__second"):
            self._add(assignment, (SKIPPED, None))

    def _add(self, row: Judgment | Assignment, content: Content) -> None:
        triplet = row.triplet
        key = (triplet.first_id, triplet.second_id, triplet.role)
        self._by_pair[key].setdefault(row.annotator_id, Counter())[content] += 1
        self._names[key] = f"{_condition_name(triplet.first)} against {_condition_name(triplet.second)}"

    def differences(self, votes: Sequence[PairVotes]) -> list[str]:
        """A sentence for each answer that is held and that the file does not give, or gives otherwise."""
        differing: list[str] = []
        given = {key: pair_votes for pair_votes in votes if (key := self._key(pair_votes)) is not None}
        for key, held in self._by_pair.items():
            differing += (
                self._differing(given[key], held) if key in given else [f"{self._names[key]} is not in it"]
            )
        return differing

    def new(self, pair_votes: PairVotes) -> Iterator[tuple[str, int, Answer, bool]]:
        """(who, how many before, answer, whether `a` is the first of the pair) of the answers that are not held."""
        key = self._key(pair_votes)
        held = self._by_pair.get(key, {}) if key is not None else {}
        for name, placed in pair_votes.signed.items():
            already = Counter(held.get(_annotator_id(self._study, name), {}))
            new = _not_held(pair_votes, placed, already)
            for number, (answer, first) in enumerate(new, start=already.total()):
                yield name, number, answer, first
        already = self._unknown(held)
        new = _not_held(pair_votes, pair_votes.unsigned, already)
        for number, (answer, first) in enumerate(new, start=already.total() + 1):
            # Who gave an unsigned answer is not known: the n-th of a pair goes to the n-th unknown annotator.
            yield f"unknown {number}", 0, answer, first

    def _key(self, pair_votes: PairVotes) -> Key | None:
        stored = pair_votes.stored
        first, second = sorted((stored.first.pk or 0, stored.second.pk or 0))
        return (first, second, ROLES[stored.pair.check]) if first else None

    def _unknown(self, held: Mapping[uuid.UUID, Counter[Content]]) -> Counter[Content]:
        numbers = range(1, len(held) + 1)
        unknown = (held.get(_annotator_id(self._study, f"unknown {number}")) for number in numbers)
        return sum((contents for contents in unknown if contents), Counter())

    def _differing(self, pair_votes: PairVotes, held: Mapping[uuid.UUID, Counter[Content]]) -> Iterator[str]:
        signed = {_annotator_id(self._study, name): name for name in pair_votes.signed}
        for annotator, contents in held.items():
            if annotator in signed:
                placed = pair_votes.signed[signed[annotator]]
                yield from _contradicted(pair_votes, signed[annotator], placed, contents)
        unknown = self._unknown(held)
        unsigned = Counter(_content(pair_votes, *one) for one in pair_votes.unsigned)
        for content, count in (unknown - unsigned).items():
            choice = _choice(pair_votes, content)
            yield f"{pair_votes.names}: {count} unsigned for {choice} in the study are not in the file"
        by_named = sum(contents.total() for who, contents in held.items() if who in signed)
        unnamed = sum(contents.total() for contents in held.values()) - by_named - unknown.total()
        if unnamed:
            yield f"{pair_votes.names}: {unnamed} in the study are by annotators whom the file does not name"


def _not_held(pair_votes: PairVotes, placed: Iterable[Placed], held: Counter[Content]) -> list[Placed]:
    """The answers beyond those that are held."""
    left, new = Counter(held), []
    for one in placed:
        content = _content(pair_votes, *one)
        if left[content]:
            left[content] -= 1
        else:
            new.append(one)
    return new


def _contradicted(
    pair_votes: PairVotes, name: str, placed: Sequence[Placed], held: Counter[Content]
) -> Iterator[str]:
    given = Counter(_content(pair_votes, *one) for one in placed)
    others = iter((given - held).elements())
    for content in (held - given).elements():
        other = next(others, None)
        instead = "nothing more" if other is None else _choice(pair_votes, other)
        yield (
            f"{pair_votes.names}: “{name}” chose {instead} in the file but {_choice(pair_votes, content)} in the study"
        )


def refuse_differences(study: Study, held: ExistingAnswers, votes: Sequence[PairVotes]) -> None:
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
    study: Study, held: ExistingAnswers, votes: Sequence[tuple[PairVotes, Triplet]], progress: Progress
) -> int:
    """Writes the answers that are not there yet; returns how many. To be called in a transaction."""
    new = [
        (name, number, answer, triplet, _a_is_triplets_first(pair_votes, triplet, first))
        for pair_votes, triplet in votes
        for name, number, answer, first in held.new(pair_votes)
    ]
    people = People(study, {name for name, *_ in new})
    given = [
        _imported(study, triplet, people.session(name), name, number, answer, a_first)
        for name, number, answer, triplet, a_first in new
    ]
    write_imported(study, given, lambda done, total: progress("answers", done, total))
    enrol(study, {people.session(name).annotator_id for name, _, answer, *_ in new if answer.annotator})
    return len(given)


def _a_is_triplets_first(pair_votes: PairVotes, triplet: Triplet, a_is_first: bool) -> bool:
    return a_is_first == (pair_votes.stored.first.pk == triplet.first_id)


def _condition_name(row: Any) -> str:
    return str((row.operating_point or {}).get("imported", row.method))


def _content(pair_votes: PairVotes, answer: Answer, a_is_first: bool) -> Content:
    """As the study holds it: by the order of the rows' keys."""
    if answer.choice == SKIP:
        return SKIPPED, None
    if answer.choice == "tie":
        return Judgment.Choice.TIE, answer.ms
    chose_first = (answer.choice == "a") == a_is_first
    in_order = (pair_votes.stored.first.pk or 0) <= (pair_votes.stored.second.pk or 0)
    return (Judgment.Choice.FIRST if chose_first == in_order else Judgment.Choice.SECOND), answer.ms


def _choice(pair_votes: PairVotes, content: Content) -> str:
    choice, ms = content
    in_order = (pair_votes.stored.first.pk or 0) <= (pair_votes.stored.second.pk or 0)
    pair = pair_votes.stored.pair
    names = (pair.first.shown.name, pair.second.shown.name)[:: 1 if in_order else -1]
    chosen = {"first": names[0], "second": names[1], SKIPPED: "to skip"}.get(choice, "neither")
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


_SIDES = {"a": Judgment.Side.LEFT, "b": Judgment.Side.RIGHT, "tie": Judgment.Side.TIE, SKIP: None}


def _imported(
    study: Study, triplet: Triplet, session: Session, name: str, number: int, answer: Answer, a_first: bool
) -> ImportedAnswer:
    return ImportedAnswer(
        id=id_in_study(study, "assignment", triplet.pk, name, *[number] * (number > 0)),
        triplet=triplet,
        session=session,
        line=answer.line,
        first_on_left=a_first,
        answer=_SIDES[answer.choice],
        ms=answer.ms,
        content=f"{name}:{answer.choice}",
        check=answer.check,
    )


def count_votes(*, study: Study) -> None:
    """Counts the votes into the triplets and the sessions."""
    recount(triplets=study.triplets.values_list("pk", flat=True))
    given = Assignment.objects.filter(study=study, state=Assignment.State.ANSWERED)
    answered = Counter(given.values_list("session_id", flat=True))
    sessions = list(Session.objects.filter(study=study))
    for session in sessions:
        session.answered = answered[session.pk]
    Session.objects.bulk_update(sessions, ["answered"], batch_size=TOGETHER)

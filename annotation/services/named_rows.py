"""Sources, conditions and pairs that are known by name only: their rows, made where they are not there yet."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from annotation.core.splits import assign_split
from annotation.errors import Refused
from annotation.models import Reconstruction, Source, Study, StudySource, Triplet
from annotation.services.imported_draft import ROLES, TOGETHER
from psychometrics.answer_formats import Row
from psychometrics.comparisons import FIRST
from psychometrics.conditions import ComparedMethod
from psychometrics.draws import place

Key = tuple[Any, ...]
Place = tuple[int, str, Decimal]


def in_order(row: Row) -> tuple[ComparedMethod, ComparedMethod]:
    """Both sides in an order that does not depend on the row's."""
    first, second = sorted((row.first, row.second), key=lambda one: (one.method, one.level or 0.0))
    return first, second


def triplet_key(row: Row) -> Key:
    """The common values of rows about one pair in one role."""
    return (row.source, *in_order(row), ROLES[row.check])


def shows(picture: Reconstruction, one: ComparedMethod) -> bool:
    """Whether the row is of that condition."""
    return (picture.method, picture.level) == (one.method, _decimal(one))


def named_triplets(study: Study, rows: Iterable[tuple[int, Row]]) -> dict[Key, Triplet]:
    """The study's triplet of every row, by `triplet_key`, with all that it needs. To be called in a transaction.

    Raises Refused, with the line, where two rows, or a row and the study, differ about the right answer to a trap.
    """
    by_key: dict[Key, Row] = {}
    lines: dict[Key, int] = {}
    for line, row in rows:
        key = triplet_key(row)
        before = by_key.setdefault(key, row)
        if right_answer(before) != right_answer(row):
            raise Refused(
                f"Line {line}: the right answer to the trap {row.source}, {row.first} against {row.second}, is "
                f"{right_answer(row)}, but {right_answer(before)} in line {lines[key]}. Correct one of them."
            )
        lines.setdefault(key, line)
    sources = _sources(study, {row.source for row in by_key.values()})
    pictures = _pictures(study, sources, by_key.values())
    held = {(row.first_id, row.second_id, row.role): row for row in Triplet.objects.filter(study=study)}
    triplets = {key: _triplet(study, sources[row.source], pictures, row, held) for key, row in by_key.items()}
    for key, row in by_key.items():
        _require_known(triplets[key], row, lines[key])
    new = [triplet for triplet in triplets.values() if triplet.pk is None]
    Triplet.objects.bulk_create(new, batch_size=TOGETHER)
    return triplets


def _triplet(
    study: Study, source: Source, pictures: dict[Place, Reconstruction], row: Row, held: dict[Key, Triplet]
) -> Triplet:
    one, other = (pictures[_place(source, side)] for side in in_order(row))
    triplet = Triplet.of(study, one, other, shuffle=place(f"{study.key}:{one.pk}:{other.pk}"))
    triplet.role = ROLES[row.check]
    if (right := right_answer(row)) is not None:
        triplet.known = Triplet.Known.FIRST if shows(triplet.first, right) else Triplet.Known.SECOND
    return held.get((triplet.first_id, triplet.second_id, triplet.role), triplet)


def right_answer(row: Row) -> ComparedMethod | None:
    """The condition that is known to be closer, None where the row is no trap."""
    return {None: None, FIRST: row.first}.get(row.known, row.second)


def _require_known(triplet: Triplet, row: Row, line: int) -> None:
    right = right_answer(row)
    held = triplet.first if triplet.known == Triplet.Known.FIRST else triplet.second
    if right is not None and not shows(held, right):
        raise Refused(
            f"Line {line}: the right answer to the trap {row.source}, {row.first} against {row.second}, is {right}, "
            f"but {held.condition} in the study. Nothing was changed. Import the file under another name."
        )


def _decimal(one: ComparedMethod) -> Decimal:
    return Decimal(f"{one.level or 0.0:.4f}")


def _place(source: Source, one: ComparedMethod) -> Place:
    return source.pk, one.method, _decimal(one)


def _sources(study: Study, names: Iterable[str]) -> dict[str, Source]:
    hashes = {name: hashlib.sha256(f"{study.key}:{name}".encode()).hexdigest() for name in sorted(names)}
    Source.objects.bulk_create(
        [
            Source(sha256=sha256, photograph=sha256, split=assign_split(sha256), width=0, height=0)
            for sha256 in hashes.values()
        ],
        ignore_conflicts=True,
    )
    by_hash = {source.sha256: source for source in Source.objects.filter(sha256__in=hashes.values())}
    sources = {name: by_hash[sha256] for name, sha256 in hashes.items()}
    words = {"attribution": f"imported with “{study.name}”"}
    uses = [StudySource(study=study, source=source, name=name, **words) for name, source in sources.items()]
    StudySource.objects.bulk_create(uses, ignore_conflicts=True)
    return sources


def _pictures(study: Study, sources: dict[str, Source], rows: Iterable[Row]) -> dict[Place, Reconstruction]:
    named = Reconstruction.Origin.NAMED
    shown_conditions = dict.fromkeys(
        _place(sources[row.source], side) for row in rows for side in (row.first, row.second)
    )
    new = [
        Reconstruction(
            source_id=source,
            origin=named,
            method=method,
            level=level,
            kind=named,
            state=Reconstruction.State.DONE,
            finished_at=timezone.now(),
        )
        for source, method, level in shown_conditions
    ]
    Reconstruction.objects.bulk_create(new, batch_size=TOGETHER, ignore_conflicts=True)
    made = Reconstruction.objects.filter(origin=named, source__uses__study=study)
    study.own_pictures.add(*made)
    return {(row.source_id, row.method, row.level): row for row in made}

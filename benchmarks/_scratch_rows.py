"""The rows of a scratch database of a wanted size.

The rows are shaped like a real study's: every pair of its codecs at each of its bitrates (forty triplets from each
source with five at four), sixty judgments from each annotator, no source twice in a row, votes spread evenly. There
are no images: serving never opens one.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, count, islice
from math import gcd
from typing import TYPE_CHECKING, Any

from tests.kit.timing import browser_timing

if TYPE_CHECKING:
    from annotation.models import Annotator, Session, Study, Triplet

# What a study compares where it can be encoded here; others take the place of those that are missing.
PREFERRED_CODECS = (
    "avif",
    "jpeg",
    "jpeg2000",
    "jpegxl",
    "webp",
    "jpegli",
    "hevc-intra",
    "htj2k",
    "mozjpeg",
    "vvc-intra",
)
BPPS = ("0.2300", "0.3700", "0.6700", "1.0000", "0.1200", "0.5000")
PER_SESSION = 60
CHOICES = ("first", "first", "first", "second", "second")
ROWS = 5000  # in one transaction


@dataclass(frozen=True)
class Size:
    """How much the scratch database holds, of how many codecs at how many bitrates."""

    triplets: int
    judgments: int
    codecs: int = 5
    bitrates: int = 4

    @property
    def per_source(self) -> int:
        """How many triplets a source has."""
        return self.bitrates * self.codecs * (self.codecs - 1) // 2

    @cached_property
    def stride(self) -> int:
        """How many triplets on the next judgment is: more than a source has, so that all come round."""
        return next(n for n in count(self.per_source + 1) if gcd(n, self.triplets) == 1)

    def shown(self, number: int) -> int:
        """Which triplet the judgment of that number is of: each once a round, never one source twice in a row."""
        return number * self.stride % self.triplets

    def __str__(self) -> str:
        return f"{self.triplets:,} triplets, {self.judgments:,} judgments"


def timing() -> dict[str, Any]:
    """What a browser sends with an answer."""
    return browser_timing(displayed=[400, 400])


def available_codecs(count: int) -> list[str]:
    """So many codecs that can run here, PREFERRED_CODECS first: a study with others can't be opened or resumed.

    Raises SystemExit where there are fewer.
    """
    from codecs_zoo import registry

    classical = [codec.name for codec in registry.codecs() if codec.kind == "classical"]
    names = dict.fromkeys((*PREFERRED_CODECS, *classical))
    available = list(islice((name for name in names if registry.get(name).availability().available), count))
    if len(available) < count:
        raise SystemExit(f"The study needs {count} codecs, and {len(available)} are available here.")
    return available


def fill(size: Size) -> Study:
    """An open study of that size, with votes to spare."""
    from django.utils import timezone

    from annotation.core.protocol import Protocol
    from annotation.models import Study

    votes = -(-size.judgments // size.triplets)
    study = Study.objects.create(
        name="Scratch",
        slug="scratch",
        codecs=available_codecs(size.codecs),
        target_bpps=[float(bpp) for bpp in BPPS[: size.bitrates]],
        state=Study.State.OPEN,
        opened_at=timezone.now(),
        votes_per_triplet=min(30_000, votes + 1000),
        pairs_per_session=30_000,
        min_view_ms=0,
        protocol=Protocol.bare().replace(repeat_percent=6.0).to_json(),
    )
    triplets = _triplets(study, size)
    people = -(-size.judgments // PER_SESSION)
    _judgments(study, triplets, _sessions(study, people), size)
    return study


def _triplets(study: Study, size: Size) -> list[Triplet]:
    from annotation.models import Reconstruction, Source, Triplet

    hashes = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(size.triplets))
    sources = Source.objects.bulk_create(
        [
            Source(sha256=sha, photograph=sha, split="train", width=400, height=400, image=sha)
            for sha in islice(hashes, -(-size.triplets // size.per_source))
        ],
        batch_size=ROWS,
    )
    study.sources.add(*sources)
    done = {"state": "done", "bpp": 1.0, "sha256": "0" * 64, "image": "none", "kind": "classical"}
    made = Reconstruction.objects.bulk_create(
        [
            Reconstruction(source=source, method=codec, level=bpp, **done)
            for source in sources
            for bpp in BPPS[: size.bitrates]
            for codec in study.codecs
        ],
        batch_size=ROWS,
    )
    rates = [made[start : start + size.codecs] for start in range(0, len(made), size.codecs)]
    pairs = (pair for rate in rates for pair in combinations(rate, 2))
    rounds, rest = divmod(size.judgments, size.triplets)
    once_more = {size.shown(number) for number in range(rest)}
    return Triplet.objects.bulk_create(
        [
            Triplet(
                study=study,
                source_id=first.source_id,
                first=first,
                second=second,
                level=first.level,
                kind="classical-classical",
                shuffle=hash((first.pk, second.pk)) % 2**40,
                served=(votes := rounds + (number in once_more)),
                lefts=votes,
                votes=votes,
            )
            for number, (first, second) in enumerate(islice(pairs, size.triplets))
        ],
        batch_size=ROWS,
    )


def _sessions(study: Study, people: int) -> list[Session]:
    from annotation.models import Annotator, Enrolment, Session

    annotators: list[Annotator] = Annotator.objects.bulk_create(
        [Annotator() for _ in range(people)], batch_size=ROWS
    )
    Enrolment.objects.bulk_create(
        [Enrolment(study=study, annotator=annotator) for annotator in annotators], batch_size=ROWS
    )
    return Session.objects.bulk_create(
        [Session(study=study, annotator=annotator, answered=PER_SESSION) for annotator in annotators],
        batch_size=ROWS,
    )


def _judgments(study: Study, triplets: list[Triplet], sessions: list[Session], size: Size) -> None:
    """Sixty for each session, in the order of `Size.shown`: no annotator meets a triplet twice."""
    from annotation.models import Assignment, Judgment

    if not size.judgments:
        return
    shared = {"study": study, "triplet": triplets[0], "annotator_id": sessions[0].annotator_id}
    assignment = Assignment(**shared, session=sessions[0], position=1, first_on_left=True, state="answered")
    assignment.expires_at = assignment.issued_at
    record = timing()
    judgment = Judgment(
        **shared,
        id=uuid.uuid4(),
        assignment=assignment,
        simulated=False,
        answer="left",
        choice="first",
        onset_ms=record["onset"],
        answer_ms=record["answer"],
        time_origin=record["time_origin"],
        timing=record,
        content_sha256="0" * 64,
    )
    assignment_row, judgment_row = RowTemplate(assignment), RowTemplate(judgment)
    for start in range(0, size.judgments, ROWS):
        rows = []
        for number in range(start, min(start + ROWS, size.judgments)):
            session = sessions[number // PER_SESSION]
            rows.append({"triplet_id": triplets[size.shown(number)].pk, "annotator_id": session.annotator_id})
            rows[-1] |= {"id": uuid.uuid4(), "session_id": session.pk, "position": number % PER_SESSION + 1}
        assignment_row.insert(rows)
        judgment_row.insert(
            {
                "id": uuid.uuid4(),
                "assignment_id": row["id"],
                "triplet_id": row["triplet_id"],
                "annotator_id": row["annotator_id"],
                # Mostly, and not always, the same way: an order that can be found, by people who are no machines.
                "choice": CHOICES[hash(row["id"]) % len(CHOICES)],
            }
            for row in rows
        )


class RowTemplate:
    """Inserts rows that differ from one pattern in a few columns: ten times as fast as bulk_create."""

    def __init__(self, pattern: Any) -> None:
        from django.db import connection

        fields = pattern._meta.concrete_fields
        columns = ", ".join(connection.ops.quote_name(each.column) for each in fields)
        marks = ", ".join(["%s"] * len(fields))
        self._connection = connection
        self._sql = f"INSERT INTO {pattern._meta.db_table} ({columns}) VALUES ({marks})"
        self._fields = {each.attname: (place, each) for place, each in enumerate(fields)}
        self._values = [each.get_db_prep_save(each.pre_save(pattern, True), connection) for each in fields]

    def insert(self, rows: Iterable[dict[str, Any]]) -> None:
        """One row for each set of differing values, by attribute name, in one transaction."""
        from django.db import transaction

        with transaction.atomic(), self._connection.cursor() as cursor:
            cursor.executemany(self._sql, [self._row(row) for row in rows])

    def _row(self, differing: dict[str, Any]) -> list[Any]:
        values = self._values.copy()
        for name, value in differing.items():
            place, each = self._fields[name]
            values[place] = each.get_db_prep_save(value, self._connection)
        return values

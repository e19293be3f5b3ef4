"""A study under a laboratory's rules and the programs that judge it, for measuring what the stream promises.

There are no images: allocation never opens one.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from benchmarks._scratch_rows import timing

if TYPE_CHECKING:
    from annotation.models import Assignment, Session, Study

CODECS = ("avif", "jpeg", "jpeg2000", "jpegxl", "webp")
BPP = "0.3700"


@dataclass
class Promises:
    """What was found in the database after everybody had judged.

    Shares are of all places after the warm-up, in percent; `worst_*` is how far the worst single annotator's share
    lies from its rate, in points.
    """

    judgments: int
    shares: dict[str, float]
    worst_share: dict[str, float]
    side_gap_of_triplets: Counter[int] = field(default_factory=Counter)
    side_gap_of_annotators: Counter[int] = field(default_factory=Counter)
    same_source_in_a_row: int = 0
    pairs_seen_twice: int = 0
    repeats_on_the_same_side: int = 0
    nearest_repeat: int = 0
    leases_left: int = 0
    wrong_counters: int = 0


def make_study(*, sources: int, votes: int, pairs: int, **rules: Any) -> Study:
    """An open study of all pairs of five codecs on each source, with sentinels, identical and training pairs."""
    from django.utils import timezone

    from annotation.core.protocol import Protocol
    from annotation.models import Reconstruction, Source, Study, Triplet

    study = Study.objects.create(
        name="The stream",
        slug=f"stream-{uuid.uuid4().hex[:8]}",
        codecs=list(CODECS),
        target_bpps=[float(BPP)],
        state=Study.State.OPEN,
        opened_at=timezone.now(),
        votes_per_triplet=votes,
        pairs_per_session=pairs,
        min_view_ms=0,
        protocol=Protocol(**rules).to_json(),
    )
    shas = [hashlib.sha256(f"{study.slug} {number}".encode()).hexdigest() for number in range(sources)]
    made_of = Source.objects.bulk_create(
        [Source(sha256=sha, photograph=sha, split="train", width=400, height=400, image=sha) for sha in shas]
    )
    study.sources.add(*made_of)
    done = {"state": "done", "bpp": 1.0, "sha256": "0" * 64, "image": "none", "kind": "classical"}
    for source in made_of:
        anchor, *shown = Reconstruction.objects.bulk_create(
            [Reconstruction(source=source, origin="coarse", method="jpeg", level=0, **done)]
            + [Reconstruction(source=source, method=codec, level=BPP, **done) for codec in CODECS]
        )
        of_source = {"study": study, "source": source, "level": BPP, "kind": "classical-classical"}
        known = {"first": anchor, "second": shown[0], "known": "second"}
        rows: list[dict[str, Any]] = [
            {"first": one, "second": other} for one, other in combinations(shown, 2)
        ]
        rows += [{**known, "role": "sentinel"}, {**known, "role": "training", "priority": 3.0}]
        rows += [{"first": shown[0], "second": shown[0], "role": "identical"}]
        Triplet.objects.bulk_create(
            [Triplet(**of_source, **row, shuffle=_shuffle(row, source.sha256)) for row in rows]
        )
    return study


def _shuffle(row: dict[str, Any], source: str) -> int:
    name = f"{source} {row['first'].method} {row['second'].method} {row.get('role')}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def judge(study: Study, *, annotators: int, pairs: int, seed: int = 0) -> None:
    """Simulated annotators judge so many pairs each, in an order of turns that chance decides."""
    from annotation.services.sessions import begin_session

    chance = random.Random(seed)
    sessions = [begin_session(study=study, simulated=True) for _ in range(annotators)]
    for session in sessions:
        for _ in range(study.rules.training_pairs):
            assert _answer(session, chance)
    turns = [session for session in sessions for _ in range(pairs)]
    chance.shuffle(turns)
    for session in turns:
        assert _answer(session, chance), "the study is too small: somebody was left without a pair"


def _answer(session: Session, chance: random.Random) -> Assignment | None:
    from annotation.models import Assignment
    from tests.kit.answers import claim_next, record_judgment

    claimed = claim_next(session=session)
    if not isinstance(claimed, Assignment):
        return None
    output = chance.choice(["left", "right"])
    if claimed.kind == Assignment.Kind.TRAINING:
        output = "left" if (claimed.triplet.known == "first") == claimed.first_on_left else "right"
    record_judgment(
        session=session, judgment_id=uuid.uuid4(), assignment_id=claimed.pk, answer=output, timing=timing()
    )
    return claimed


def stream_promises(study: Study) -> Promises:
    """Looks at every row that `judge` has left."""
    from annotation.core.checks import check_rates
    from annotation.models import Triplet

    rows = study.assignments.exclude(kind="training").select_related("triplet", "repeats")
    by_annotator: dict[Any, list[Assignment]] = {}
    for row in rows.order_by("annotator", "issued_at"):
        by_annotator.setdefault(row.annotator_id, []).append(row)
    rates, places = check_rates(study.rules), {who: _places(theirs) for who, theirs in by_annotator.items()}
    counts = {kind: [sum(one == kind for one in kinds) for kinds in places.values()] for kind in rates}
    lengths = [len(kinds) for kinds in places.values()]
    pairs = [row for theirs in by_annotator.values() for row in theirs if row.counts]
    repeats = [(row, row.repeats) for row in rows if row.repeats]
    return Promises(
        judgments=study.judgments.count(),
        shares={kind: 100 * sum(each) / sum(lengths) for kind, each in counts.items()},
        worst_share={
            kind: max(
                abs(100 * n / length - 100 * rates[kind]) for n, length in zip(each, lengths, strict=True)
            )
            for kind, each in counts.items()
        },
        side_gap_of_triplets=Counter(
            abs(2 * lefts - served)
            for lefts, served in Triplet.objects.filter(study=study, role="pair").values_list(
                "simulated_lefts", "simulated_served"
            )
        ),
        side_gap_of_annotators=Counter(
            _gap([row for row in theirs if row.counts]) for theirs in by_annotator.values()
        ),
        same_source_in_a_row=sum(_in_a_row(theirs) for theirs in by_annotator.values()),
        pairs_seen_twice=len(pairs) - len({(row.annotator_id, row.triplet_id) for row in pairs}),
        repeats_on_the_same_side=sum(row.first_on_left == shown.first_on_left for row, shown in repeats),
        nearest_repeat=min((row.position - shown.position for row, shown in repeats), default=0),
        leases_left=study.assignments.filter(state="leased").count(),
        wrong_counters=sum(
            row.simulated_votes != row.judgments.filter(counted=True).count()
            or row.simulated_served != row.simulated_votes
            or row.served
            for row in Triplet.objects.filter(study=study)
        ),
    )


def _places(rows: list[Assignment]) -> list[str]:
    return [row.kind for row in rows if not row.warm_up]


def _gap(pairs: list[Assignment]) -> int:
    return abs(sum(1 if row.first_on_left else -1 for row in pairs))


def _in_a_row(rows: list[Assignment]) -> int:
    sources = [row.triplet.source_id for row in rows]
    return sum(one == other for one, other in zip(sources, sources[1:], strict=False))

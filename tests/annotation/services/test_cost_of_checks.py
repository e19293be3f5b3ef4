"""The work of a claim does not tell whether a pair or a check was served."""

import uuid
from collections import Counter, defaultdict

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.core.protocol import Protocol
from annotation.models import Assignment
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import make_session, make_source, make_study, make_timing, make_triplet

pytestmark = pytest.mark.django_db


def test_a_pair_costs_as_many_statements_as_a_check() -> None:
    rules = Protocol.bare().replace(sentinel_percent=20.0, identical_percent=10.0, repeat_percent=20.0)
    study = make_study(protocol=rules.to_json(), pairs_per_session=60)
    for number in range(30):
        source = make_source(study)
        make_triplet(study, source=source)
        make_triplet(
            study, source=source, level=1.0, role="sentinel", known="first", shuffle=2**63 - 1 - number
        )
        make_triplet(study, source=source, level=2.0, role="identical", shuffle=2**63 - 1 - number)
    session = make_session(study)
    costs: dict[str, Counter[int]] = defaultdict(Counter)
    for _ in range(30):
        with CaptureQueriesContext(connection) as statements:
            claimed = claim_next(session=session)
        assert isinstance(claimed, Assignment)
        record_judgment(
            session=session,
            judgment_id=uuid.uuid4(),
            assignment_id=claimed.pk,
            answer="left",
            timing=make_timing(),
        )
        costs[claimed.kind][len(statements)] += 1
    assert set(costs) == {"pair", "sentinel", "identical", "repeat"}
    # Now and then a look-up goes round to the first row of all, and at first there is nothing to repeat.
    usual = {kind: cost.most_common(1)[0][0] for kind, cost in costs.items()}
    assert len(set(usual.values())) == 1

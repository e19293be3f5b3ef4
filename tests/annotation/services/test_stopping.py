"""A study ends by its own rule: paused while pairs are in hand, closed once none is."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from annotation.core.protocol import Protocol, ProtocolError
from annotation.models import Study
from annotation.services import stopping
from annotation.services.stopping import apply_stop_rules, why_it_ends, widest_halfwidth
from tests.kit.factories import (
    make_assignment,
    make_judged_study,
    make_judgment,
    make_session,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def study_until(days: int, **fields: object) -> Study:
    last_day = (timezone.now() + timedelta(days=days)).date().isoformat()
    return make_study(protocol=Protocol.bare().replace(stop_on=last_day).to_json(), **fields)


def test_the_last_day_itself_is_still_open() -> None:
    study = study_until(0)
    assert apply_stop_rules() == []
    study.refresh_from_db()
    assert study.state == Study.State.OPEN


def test_after_its_last_day_a_study_is_closed() -> None:
    study = study_until(-1)
    (done,) = apply_stop_rules()
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED and study.closed_at
    assert done.startswith(f"{study.slug}: closed, its last day was")
    assert apply_stop_rules() == []


def test_a_pair_in_hand_is_answered_before_the_study_closes() -> None:
    study = study_until(-1)
    make_triplet(study)
    session = make_session(study)
    make_assignment(session)
    apply_stop_rules()
    study.refresh_from_db()
    assert study.state == Study.State.PAUSED
    assert apply_stop_rules() == []
    session.assignments.update(expires_at=timezone.now() - timedelta(seconds=1))
    apply_stop_rules()
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED


def test_a_study_without_a_rule_goes_on() -> None:
    make_judgment(make_session(make_triplet().study))
    assert apply_stop_rules() == []


def test_narrow_intervals_end_a_study_and_wide_ones_do_not() -> None:
    study = make_judged_study(people=6)
    widest = widest_halfwidth(study)
    assert widest is not None and widest > 0
    study.protocol = Protocol.bare().replace(stop_halfwidth=round(widest + 0.1, 2)).to_json()
    assert "every difference is within ±" in why_it_ends(study)
    study.protocol = Protocol.bare().replace(stop_halfwidth=round(widest / 2, 3)).to_json()
    assert why_it_ends(study) == ""


def test_too_few_people_settle_nothing() -> None:
    study = make_judged_study(people=2)
    assert widest_halfwidth(study) is None


def test_two_photographs_settle_nothing() -> None:
    assert widest_halfwidth(make_judged_study(people=6, splits=("train", "test"))) is None


def test_the_widest_level_decides_and_each_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """One narrow level does not end a study while another one is wide, or has no ranking yet."""
    narrow, wide = (SimpleNamespace(halfwidth=width, annotators=30, sources=30) for width in (0.2, 0.7))
    study = make_study()
    for rankings, expected in (((narrow, wide), 0.7), ((wide, narrow), 0.7), ((narrow, None), None)):
        results = SimpleNamespace(deciding=[SimpleNamespace(ranking=ranking) for ranking in rankings])
        monkeypatch.setattr(stopping, "rank_conditions", lambda rows, results=results: results)
        assert widest_halfwidth(study) == expected


@pytest.mark.parametrize(
    "day", ["2027-02-29", "2027-W05-1", "20270201", " 2027-01-31", "31.1.2027", "２０２７-01-31"]
)
def test_a_last_day_that_the_form_could_not_show_is_refused(day: str) -> None:
    Protocol.bare().replace(stop_on="2028-02-29").require_consistent()
    with pytest.raises(ProtocolError, match="is not a date such as"):
        Protocol.bare().replace(stop_on=day).require_consistent()


@pytest.mark.parametrize("today", ["2028-02-29", "2027-12-31"])
def test_a_study_ends_the_day_after_at_ends_of_months_and_years(today: str) -> None:
    day = date.fromisoformat(today)
    study = make_study(protocol=Protocol.bare().replace(stop_on=today).to_json())
    assert why_it_ends(study, today=day) == ""
    assert why_it_ends(study, today=day + timedelta(days=1)) == f"its last day was {today}"

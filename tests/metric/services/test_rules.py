"""A study's rule: enough judgments, a pause, quiet hours; what the page says of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from metric.core.config import TrainConfig
from metric.forms import CHOICES
from metric.models import RetrainRule, TrainingRun
from metric.services.schedule import next_time, retrain_due, retraining_due
from tests.kit.factories import make_judged_study

pytestmark = pytest.mark.django_db

NOON = datetime(2030, 5, 7, 12, 30, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 7) -> datetime:
    return datetime(2030, 5, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "quiet", "expected"),
    [
        (None, (12, 14), NOON),
        (None, (3, 5), at(3, day=8)),
        (None, (22, 6), at(22)),
        (None, (0, 0), NOON),
        (None, (12, 12), NOON),
        (at(9), (0, 0), at(9, day=8)),
        (at(9), (3, 9), at(3, day=9)),
        (at(9), (3, 10), at(9, day=8)),
    ],
)
def test_the_next_time(last: datetime | None, quiet: tuple[int, int], expected: datetime) -> None:
    assert next_time(NOON, last, 24, *quiet) == expected


def test_quiet_hours_over_midnight_have_begun_the_day_before() -> None:
    assert next_time(at(2), None, 24, 22, 6) == at(2)


def test_a_study_waits_for_its_hours_and_says_until_when() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    RetrainRule.objects.create(study=study, quiet_from=3, quiet_to=5)
    assert retrain_due(NOON) == []
    assert retraining_due(study=study, simulated=False, now=NOON).at == at(3, day=8)
    assert len(retrain_due(at(3, 10, day=8))) == 1


def test_a_pause_lies_between_two_runs() -> None:
    study = make_judged_study(people=6, retrain_after=1)
    RetrainRule.objects.create(study=study, hours_between=20, quiet_from=0, quiet_to=0)
    (run,) = retrain_due()
    TrainingRun.objects.update(state=TrainingRun.State.DONE)
    run.snapshot.until -= timedelta(days=1)
    run.snapshot.save()
    due = retraining_due(study=study, simulated=False)
    assert due.at == run.created_at + timedelta(hours=20)


def test_a_rule_that_is_off_trains_nothing_and_a_rules_settings_reach_the_run() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    rule = RetrainRule.objects.create(study=study, enabled=False, quiet_from=0, quiet_to=0)
    assert retrain_due() == []
    assert "switched off" in retraining_due(study=study, simulated=False).reason
    rule.enabled, rule.config = True, {"net": "squeeze"}
    rule.save()
    (run,) = retrain_due()
    assert run.config["net"] == "squeeze"


def test_a_rule_whose_settings_training_refuses_makes_no_snapshot_either() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    rule = RetrainRule.objects.create(study=study, quiet_from=0, quiet_to=0, config={"net": "resnet"})
    assert retrain_due() == []
    assert not study.snapshots.exists()
    rule.config = {}
    rule.save()
    assert len(retrain_due()) == 1


def test_the_page_says_when_and_lets_staff_change_it(owner_client: Client) -> None:
    study = make_judged_study(people=6, retrain_after=30)
    page = owner_client.get(reverse("metric-list")).content.decode()
    assert "waits for 6 more judgments" in page
    address = reverse("metric-schedule", args=[study.slug])
    assert address in page
    usual = TrainConfig().as_json()
    made_with = {name: usual[name] for name in CHOICES if usual[name] is not False}
    made_with["nets"] = usual["nets"] or [usual["net"]]
    rule = {"enabled": "on", "hours_between": 2, "quiet_from": 1, "quiet_to": 4, "config": "{}", **made_with}
    assert owner_client.post(address, rule).status_code == 302
    assert RetrainRule.objects.get().quiet_to == 4
    owner_client.post(address, rule | {"nets": ["squeeze"], "config": '{"folds": 4}'})
    kept = RetrainRule.objects.get().config
    assert (kept["nets"], kept["folds"]) == (["squeeze"], 4) and "kind" not in kept
    page = owner_client.get(address).content.decode()
    assert re.search(r'value="squeeze"[^>]* checked', page) and not re.search(
        r'value="alex"[^>]* checked', page
    )
    for wrong in ({"config": '{"nett": 1}'}, {"quiet_from": 24}, {"nets": []}):
        assert owner_client.post(address, rule | wrong).status_code == 400
        assert RetrainRule.objects.get().config == kept


def test_strangers_see_no_schedule(client: Client) -> None:
    study = make_judged_study(people=1)
    assert client.get(reverse("metric-schedule", args=[study.slug])).status_code in (302, 403, 404)

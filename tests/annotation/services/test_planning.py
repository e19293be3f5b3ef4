"""A large study is planned by a worker, part by part, and whoever dies in between is followed by another."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import tasks
from annotation.models import Reconstruction, Study
from annotation.services import planning
from annotation.services.addition import add_codec
from annotation.services.claims import NoPair
from annotation.services.encoding import encode_reconstruction
from annotation.services.planning import plan_claimed, unplanned_studies
from annotation.services.studies import open_study, pause_study
from tests.kit.answers import claim_next
from tests.kit.factories import make_session, make_source, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Five photographs, which here are many."""
    monkeypatch.setattr(planning, "PLANNED_AT_ONCE", 4)
    monkeypatch.setattr(planning, "SOURCES_AT_ONCE", 2)
    study = make_study(state=Study.State.DRAFT, target_bpps=[1.5])
    for _ in range(5):
        make_source(study)
    return study


def test_opening_a_large_study_leaves_the_work_to_a_worker(draft: Study, owner_client: Client) -> None:
    with patch.object(tasks.plan, "delay") as sent:
        owner_client.post(reverse("study-open", args=[draft.slug]))
    draft.refresh_from_db()
    assert (draft.state, draft.unplanned, Reconstruction.objects.count()) == ("open", True, 0)
    parts: list[list[int]] = []
    assert plan_claimed(pk=draft.pk, send=parts.append) == "done"
    assert [len(part) for part in parts] == [4, 4, 2]
    draft.refresh_from_db()
    assert not draft.unplanned and unplanned_studies() == []
    assert plan_claimed(pk=draft.pk, send=parts.append) == "not free"
    assert sent.call_count <= 1  # on commit, which a test's transaction never reaches


def test_a_small_study_is_planned_at_once(draft: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PLANNED_AT_ONCE", 10)
    assert len(open_study(study=draft, large_by_worker=True)) == 10
    draft.refresh_from_db()
    assert not draft.unplanned


def test_a_worker_that_died_is_followed_by_another(draft: Study) -> None:
    open_study(study=draft, large_by_worker=True)
    sent: list[int] = []

    def die(part: list[int]) -> None:
        sent.extend(part)
        if len(sent) > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_claimed(pk=draft.pk, send=die)
    assert unplanned_studies() == [] and plan_claimed(pk=draft.pk, send=sent.extend) == "not free"
    Study.objects.update(planning_until=timezone.now() - timedelta(seconds=1))
    assert unplanned_studies() == [draft.pk]
    assert plan_claimed(pk=draft.pk, send=sent.extend) == "done"
    assert set(sent) == set(Reconstruction.objects.values_list("pk", flat=True)) and len(set(sent)) == 10


def test_nobody_hears_that_all_is_judged_while_pairs_are_still_planned(draft: Study) -> None:
    open_study(study=draft, large_by_worker=True)
    result = claim_next(session=make_session(Study.objects.get()))
    assert (
        isinstance(result, NoPair) and result.status == "nothing_free" and "being prepared" in result.detail
    )


def test_resuming_and_a_codec_that_joins_are_left_to_a_worker_too(draft: Study) -> None:
    for pk in open_study(study=draft):
        encode_reconstruction(pk=pk)
    pairs = draft.triplets.count()
    draft.refresh_from_db()
    pause_study(study=draft)
    assert open_study(study=draft, large_by_worker=True) == [] and unplanned_studies() == [draft.pk]
    plan_claimed(pk=draft.pk, send=lambda part: None)
    assert draft.triplets.count() == pairs
    assert add_codec(study=draft, codec="jpeg2000", large_by_worker=True) == []
    waiting: list[int] = []
    plan_claimed(pk=draft.pk, send=waiting.extend)
    assert len(waiting) == 5

"""A codec that joins later: new reconstructions and pairs, old ones as they were."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.errors import Refused, StudyFrozen, StudyNotReady
from annotation.models import Reconstruction, Study, Triplet
from annotation.reports.export import _describe
from annotation.services.addition import add_codec
from annotation.services.encoding import encode_reconstruction
from tests.kit.factories import make_reconstruction, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Open, with one pair that was made and served."""
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    make_triplet(study, served=3, votes=2)
    return study


def test_new_pairs_come_and_old_ones_stay(study: Study, owner: User) -> None:
    old = Triplet.objects.values().get()
    made = list(Reconstruction.objects.order_by("pk").values())
    planned = add_codec(study=study, codec="jpeg2000", by=owner)
    assert [encode_reconstruction(pk=pk) for pk in planned] == ["done"]
    assert Triplet.objects.values().get(pk=old["id"]) == old
    assert list(Reconstruction.objects.exclude(pk__in=planned).order_by("pk").values()) == made
    new = Triplet.objects.exclude(pk=old["id"]).values_list("first__method", "second__method")
    assert sorted(sorted(pair) for pair in new) == [["jpeg", "jpeg2000"], ["jpeg2000", "webp"]]


def test_when_and_by_whom_is_kept_and_exported(study: Study, owner: User) -> None:
    add_codec(study=study, codec="avif", by=owner)
    study.refresh_from_db()
    assert study.codecs == ["jpeg", "webp", "avif"]
    (added,) = study.codecs_added
    assert (added["codec"], added["by"]) == ("avif", owner.get_username())
    assert added["at"].startswith("20")
    assert _describe(study, 1)["codecs_added"] == study.codecs_added


def test_what_another_study_made_is_paired_at_once(study: Study) -> None:
    make_reconstruction(study.sources.get(), method="avif")
    assert add_codec(study=study, codec="avif") == []
    assert Triplet.objects.filter(study=study).count() == 3


def test_a_paused_study_grows_and_stays_paused() -> None:
    study = make_study(state="paused")
    make_source(study)
    assert len(add_codec(study=study, codec="avif")) == 6
    study.refresh_from_db()
    assert study.state == Study.State.PAUSED


@pytest.mark.parametrize(
    ("fields", "codec", "refusal", "words"),
    [
        ({"state": "draft"}, "avif", StudyNotReady, "still a draft"),
        ({"state": "closed"}, "avif", StudyFrozen, "is closed"),
        ({"origin": "BAPPS"}, "avif", StudyFrozen, "was imported"),
        ({}, "jpeg", Refused, "already"),
        ({}, "gif", Refused, "There is no codec named"),
        ({}, "", Refused, "There is no codec named"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    fields: dict[str, str], codec: str, refusal: type[Refused], words: str
) -> None:
    study = make_study(**fields)
    make_source(study)
    with pytest.raises(refusal, match=words):
        add_codec(study=study, codec=codec)
    study.refresh_from_db()
    assert (study.codecs, study.codecs_added) == (["jpeg", "webp"], [])
    assert not Reconstruction.objects.exists()


def test_the_settings_page_offers_it_with_its_cost_and_asks_twice(owner_client: Client, study: Study) -> None:
    settings = reverse("study-settings", args=[study.slug])
    action = reverse("study-add-codec", args=[study.slug])
    page = owner_client.get(settings)
    assert page.context["additions"]["avif"].pairs == 2
    assert 'name="sure"' in page.content.decode()
    owner_client.post(action, {"codec": "avif"})
    study.refresh_from_db()
    assert study.codecs_added == []
    owner_client.post(action, {"codec": "avif", "sure": "on"})
    assert "avif joined on" in owner_client.get(settings).content.decode()

"""A preview goes through the real pages, from a draft and from every section, and keeps no row."""

import json
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation import tasks
from annotation.core.protocol import Protocol
from annotation.models import Annotator, Enrolment, Study
from annotation.services import preview_pictures
from annotation.services.encoding import read_pixels
from annotation.services.preview_pictures import pair_at
from codecs_zoo import registry
from imaging.png import decode_png
from tests.kit.factories import make_reconstruction, make_source, make_study, make_triplet, make_user

pytestmark = pytest.mark.django_db


def rows() -> dict[str, int]:
    """How many rows each table of ours has."""
    models = [*apps.get_app_config("annotation").get_models(), *apps.get_app_config("metric").get_models()]
    return {model.__name__: model._default_manager.count() for model in models}


@pytest.fixture
def draft() -> Study:
    study = make_study(state="draft", protocol=Protocol().to_json(), pairs_per_session=3)
    make_source(study)
    make_source(study)
    return study


class Page:
    """What the judging page does, without a browser."""

    def __init__(self, client: Client, study: Study, **query: str) -> None:
        self.client, self.study = client, study
        page = client.get(reverse("study-preview-judge", args=[study.slug]), query)
        self.shown = page.content.decode()
        self.headers = {"X-Closer-Session": f"preview-{study.slug}"}

    def next(self, *holding: str) -> Any:
        address = reverse("study-preview-next", args=[self.study.slug, "preview"])
        body = {"holding": holding}
        return self.client.post(address, body, content_type="application/json", headers=self.headers).json()

    def answer(self, assignment: str, answer: str = "left") -> Any:
        address = reverse("study-preview-judgment", args=[self.study.slug, "some-id"])
        body = json.dumps({"assignment": assignment, "answer": answer, "timing": {}})
        return self.client.put(address, body, content_type="application/json", headers=self.headers).json()


def test_all_of_it_from_consent_to_the_end_and_no_row_is_made(owner_client: Client, draft: Study) -> None:
    before = rows()
    page = owner_client.get(reverse("study-preview", args=[draft.slug]), follow=True)
    seen = []
    while "study-preview-step" in page.request["PATH_INFO"] or "/step/" in page.request["PATH_INFO"]:
        seen.append(page.request["PATH_INFO"].split("/")[-2])
        assert "Preview:" in page.content.decode()
        page = owner_client.post(page.request["PATH_INFO"], {"agree": "yes"}, follow=True)
    assert seen == ["consent", "screen", "brightness", "colour_vision", "acuity"]
    assert "Preview:" in page.content.decode()
    judging = Page(owner_client, draft)
    kinds = []
    while (result := judging.next())["status"] == "pair":
        kinds.append(result["assignment"]["training"])
        for address in result["assignment"]["images"].values():
            assert owner_client.get(address).content[:4] == b"\x89PNG"
        judging.answer(result["assignment"]["id"])
    assert kinds == [True] * 5 + [False] * 3
    assert result["status"] == "sitting_over"
    assert "Preview:" in owner_client.get(reverse("study-preview-end", args=[draft.slug])).content.decode()
    assert rows() == before


def test_pairs_fetched_ahead_are_others_than_those_in_hand(owner_client: Client, draft: Study) -> None:
    judging = Page(owner_client, draft)
    first = judging.next()["assignment"]["id"]
    second = judging.next(first)["assignment"]["id"]
    assert first != second
    judging.answer(first)
    assert judging.next(second)["assignment"]["id"] not in (first, second)


def test_practice_tells_which_side_is_the_original(owner_client: Client, draft: Study) -> None:
    judging = Page(owner_client, draft)
    result = judging.next()["assignment"]
    pictures = {
        slot: decode_png(owner_client.get(address).content) for slot, address in result["images"].items()
    }
    closer = next(side for side in ("left", "right") if np.array_equal(pictures[side], pictures["original"]))
    other = {"left": "right", "right": "left"}[closer]
    assert not np.array_equal(pictures[other], pictures["original"])
    feedback = judging.answer(result["id"], closer)["feedback"]
    assert feedback == {"right": True, "closer": closer}
    assert judging.answer(result["id"], other)["feedback"]["right"] is False


def test_a_pair_shows_what_the_codecs_of_the_draft_make(owner_client: Client, draft: Study) -> None:
    pair = pair_at(draft, 6)
    assert {str(pair.left).split("@")[0], str(pair.right).split("@")[0]} == {"jpeg", "webp"}
    address = reverse("study-preview-picture", args=[draft.slug, 6, "left"])
    shown = decode_png(owner_client.get(address).content)
    original = read_pixels(pair.source.image)
    assert shown.shape == original.shape and not np.array_equal(shown, original)


def test_what_takes_long_is_encoded_by_a_worker_and_waited_for(
    owner_client: Client,
    draft: Study,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    ordered: list[tuple[int, str, float]] = []
    monkeypatch.setattr(preview_pictures, "AT_ONCE_S", 0.0)
    monkeypatch.setattr(tasks.preview_picture, "delay", lambda *picture: ordered.append(picture))
    with django_capture_on_commit_callbacks(execute=True):
        judging = Page(owner_client, draft, **{"from": "pairs"})
        waiting = judging.next()
    assert "data-session" in judging.shown
    assert (waiting["status"], waiting["progress"]["answered"]) == ("nothing_free", 0)
    # Both sides at once, and once however often the page asks.
    assert len(ordered) == len(set(ordered)) == 2
    # A pair that a codec can't reach is passed over, and the next one is ordered.
    shown, made = waiting, 0
    while shown["status"] == "nothing_free":
        assert made < len(ordered)
        for picture in ordered[made:]:
            tasks.preview_picture(*picture)
        made = len(ordered)
        with django_capture_on_commit_callbacks(execute=True):
            shown = judging.next()
    assert shown["status"] == "pair"
    for address in shown["assignment"]["images"].values():
        assert owner_client.get(address).content[:4] == b"\x89PNG"
    assert judging.answer(shown["assignment"]["id"])["progress"]["answered"] == 1


@pytest.mark.parametrize(
    ("cause", "seconds"), [(BlockingIOError(11, "no room"), 30), (ValueError("flat"), 3600)]
)
def test_a_failure_that_may_pass_is_tried_again_soon(
    draft: Study, monkeypatch: pytest.MonkeyPatch, cause: Exception, seconds: int
) -> None:
    cache = Mock()
    monkeypatch.setattr(preview_pictures, "cache", cache)
    monkeypatch.setattr(registry.get("jpeg"), "_encode", Mock(side_effect=cause), raising=True)
    source = draft.sources.get(pk=draft.sources.values("pk")[:1])
    assert preview_pictures.encode_for_preview(source.pk, "jpeg", 0.37) == preview_pictures.OUT_OF_REACH
    assert cache.set.call_args.args[1:] == (preview_pictures.OUT_OF_REACH, seconds)


def test_without_a_shared_cache_a_preview_encodes_by_itself(
    owner_client: Client, draft: Study, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_pictures, "AT_ONCE_S", 0.0)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert Page(owner_client, draft, **{"from": "pairs"}).next()["status"] == "pair"


def test_what_is_encoded_already_is_shown_as_it_is(owner_client: Client) -> None:
    study = make_study(target_bpps=[0.37])
    source = make_source(study)
    made = make_reconstruction(source, method="jpeg")
    pair = pair_at(study, 1)
    slot = "left" if str(pair.left) == "jpeg@0.37" else "right"
    shown = owner_client.get(reverse("study-preview-picture", args=[study.slug, 1, slot])).content
    assert np.array_equal(decode_png(shown), read_pixels(made.image))


@pytest.mark.parametrize(
    ("section", "where"),
    [("arrival", "/step/consent/"), ("session", "from=training"), ("pair", "from=pairs"), ("after", "/end/")],
)
def test_each_section_has_its_place_to_begin(
    owner_client: Client, draft: Study, section: str, where: str
) -> None:
    answer = owner_client.get(reverse("study-preview", args=[draft.slug]), {"at": section})
    assert where in answer.headers["Location"]


def test_a_preview_is_no_longer_than_a_session_of_the_study_can_be(owner_client: Client) -> None:
    study = make_study(state="draft", target_bpps=[0.5], pairs_per_session=60)
    make_source(study)
    judging = Page(owner_client, study)
    assert 'data-total="1"' in judging.shown and 'value="0" max="1"' in judging.shown
    assert judging.answer("preview-1")["progress"] == {"answered": 1, "total": 1, "stage": "judging"}
    assert judging.next()["status"] == "sitting_over"


def test_from_the_pairs_there_is_no_practice(owner_client: Client, draft: Study) -> None:
    result = Page(owner_client, draft, **{"from": "pairs"}).next()
    assert result["assignment"]["training"] is False
    assert result["progress"] == {"answered": 0, "total": 3, "stage": "judging"}


def test_without_a_photograph_the_preview_says_what_is_missing(owner_client: Client) -> None:
    study = make_study(state="draft")
    page = owner_client.get(reverse("study-preview-judge", args=[study.slug]))
    words = page.content.decode()
    assert page.status_code == 409 and "add a photograph first" in words
    assert "Nothing to preview yet" in words and "This link does not work" not in words


def test_a_request_that_is_not_the_pages_own_is_refused(owner_client: Client, draft: Study) -> None:
    address = reverse("study-preview-next", args=[draft.slug, "x"])
    assert owner_client.post(address, {}, content_type="application/json").status_code == 400
    headers = {"X-Closer-Session": f"preview-{draft.slug}"}
    for body in ("[]", "{", '{"holding": ["people"]}'):
        answer = owner_client.post(address, body, content_type="application/json", headers=headers)
        assert answer.status_code == 400, body


class TestJudgeByAResearcher:
    @pytest.fixture
    def study(self) -> Study:
        study = make_study()
        make_triplet(study)
        return study

    def test_the_button_leads_to_the_preview(self, owner_client: Client, study: Study) -> None:
        page = owner_client.get(study.get_absolute_url()).content.decode()
        assert f'href="{reverse("study-preview", args=[study.slug])}">Judge' in page

    def test_the_bare_link_offers_a_preview_and_keeps_nothing(
        self, owner_client: Client, study: Study
    ) -> None:
        page = owner_client.get(reverse("judge", args=[study.key])).content.decode()
        assert reverse("study-preview", args=[study.slug]) in page
        assert not Annotator.objects.exists()

    def test_whoever_wants_to_take_part_can(self, owner_client: Client, study: Study) -> None:
        address = reverse("judge", args=[study.key])
        assert "data-session" in owner_client.get(address, {"take-part": 1}).content.decode()
        assert Enrolment.objects.count() == 1
        assert "data-session" in owner_client.get(address).content.decode()

    def test_a_researcher_of_other_studies_is_an_annotator_here(self, study: Study) -> None:
        client = Client()
        client.force_login(make_user("outsider"))
        assert "data-session" in client.get(reverse("judge", args=[study.key])).content.decode()


def test_a_viewer_has_no_preview(draft: Study, owner: User) -> None:
    client = Client()
    client.force_login(make_user("viewer", viewer=draft))
    assert client.get(reverse("study-preview", args=[draft.slug])).status_code == 403

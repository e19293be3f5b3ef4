"""The researcher's way from an empty database to an open study."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Reconstruction, Study
from tests.factories import make_judgment, make_png, make_session, make_source, make_study, make_triplet
from tests.study_form import STUDY_FORM

pytestmark = pytest.mark.django_db


def photograph(seed: int, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_png(seed), content_type="image/png")


def test_the_front_page_tells_a_visitor_what_this_is(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "closer to the original" in page
    assert reverse("login") in page


def test_the_front_page_takes_a_researcher_to_the_studies(owner_client: Client) -> None:
    assert owner_client.get("/").headers["Location"] == reverse("study-list")


def test_an_empty_database_says_what_to_do_first(owner_client: Client) -> None:
    page = owner_client.get(reverse("study-list")).content.decode()
    assert "Ask your first question" in page
    assert page.count("button-primary") == 1
    assert reverse("study-new") in page


def test_the_list_costs_the_same_for_one_study_and_for_ten(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        study = make_study()
        make_triplet(study)
        make_judgment(make_session(study))
    with django_assert_max_num_queries(4):  # the login, the user, the studies, their crops
        page = owner_client.get(reverse("study-list")).content.decode()
    assert page.count('class="card"') == 10
    assert "1 person" in page


def test_simulated_judgments_carry_their_badge_in_the_list(owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    make_judgment(make_session(study, simulated=True))
    page = owner_client.get(reverse("study-list")).content.decode()
    assert "badge-simulated" in page
    assert "0 people" in page


def test_a_long_list_goes_on_on_the_next_page(owner_client: Client) -> None:
    for _ in range(25):
        make_study()
    first = owner_client.get(reverse("study-list"))
    after = first.context["page"].next
    second = owner_client.get(reverse("study-list"), {"after": after})
    assert len(first.context["cards"]) == 24
    assert len(second.context["cards"]) == 1
    assert second.context["page"].next is None


def test_the_form_starts_with_every_codec_that_can_run(owner_client: Client) -> None:
    page = owner_client.get(reverse("study-new")).content.decode()
    for name in ("jpeg", "jpeg2000", "webp", "avif"):
        assert f'value="{name}" checked' in page
    assert 'value="0.23, 0.37, 0.67, 1"' in page


def test_a_form_that_is_filled_in_makes_a_draft(owner_client: Client) -> None:
    answer = owner_client.post(reverse("study-new"), STUDY_FORM)
    study = Study.objects.get()
    assert answer.headers["Location"] == reverse("study", args=["autumn-leaves"])
    assert (study.state, study.target_bpps, study.codecs) == ("draft", [0.23, 0.67], ["jpeg", "webp"])
    assert study.memberships.get().role == "owner"


def test_a_study_called_new_does_not_hide_behind_the_form(owner_client: Client) -> None:
    owner_client.post(reverse("study-new"), STUDY_FORM | {"name": "New"})
    assert Study.objects.get().slug != "new"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target_bpps": "a lot"}, "numbers with commas"),
        ({"target_bpps": "0.5, 900"}, "between 0.01 and 24"),
        ({"target_bpps": "nan"}, "between 0.01 and 24"),
        ({"votes_per_triplet": 0}, "greater than or equal to 1"),
        ({"name": ""}, "required"),
        ({"name": "x" * 200}, "at most 120"),
    ],
)
def test_a_form_that_is_wrong_says_what_and_makes_nothing(
    owner_client: Client, wrong: dict[str, Any], words: str
) -> None:
    answer = owner_client.post(reverse("study-new"), STUDY_FORM | wrong)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Study.objects.exists()


def test_photographs_come_in_and_each_bad_one_is_named(owner_client: Client) -> None:
    study = make_study(state="draft")
    files = [
        photograph(1, "a.png"),
        photograph(1, "again.png"),
        SimpleUploadedFile("notes.txt", b"not a photograph"),
        photograph(2, "b.png"),
    ]
    sent = {"photographs": files, "licence": "CC0"}
    page = owner_client.post(reverse("study-add-photographs", args=[study.slug]), sent, follow=True)
    words = [str(message) for message in page.context["messages"]]
    assert study.sources.count() == 2
    assert {use.licence for use in study.uses.all()} == {"CC0"}
    assert any(one.startswith("again.png: the study has this photograph already") for one in words)
    assert any(one.startswith("notes.txt:") for one in words)
    assert "2 photographs added." in words


def test_a_request_in_which_every_file_was_refused_is_a_bad_request(owner_client: Client) -> None:
    study = make_study(state="draft")
    sent = {"photographs": [SimpleUploadedFile("notes.txt", b"not a photograph")]}
    answer = owner_client.post(reverse("study-add-photographs", args=[study.slug]), sent)
    assert answer.status_code == 400
    assert "notes.txt:" in answer.content.decode()
    assert not study.sources.exists()


def test_no_file_at_all_is_a_bad_request(owner_client: Client) -> None:
    study = make_study(state="draft")
    answer = owner_client.post(reverse("study-add-photographs", args=[study.slug]))
    assert answer.status_code == 400
    assert "No file was chosen" in answer.content.decode()


def test_an_open_study_takes_no_more_photographs(owner_client: Client) -> None:
    study = make_study()
    sent = {"photographs": [photograph(1, "a.png")]}
    page = owner_client.post(reverse("study-add-photographs", args=[study.slug]), sent, follow=True)
    assert "can no longer change" in page.content.decode()
    assert not study.sources.exists()


def test_opening_plans_the_reconstructions(owner_client: Client) -> None:
    study = make_study(state="draft")
    make_source(study)
    page = owner_client.post(reverse("study-open", args=[study.slug]), follow=True).content.decode()
    study.refresh_from_db()
    assert study.state == "open"
    assert Reconstruction.objects.needed_by(study).count() == 4
    assert f"http://testserver{reverse('judge', args=[study.key])}" in page


def test_a_study_without_photographs_stays_a_draft(owner_client: Client) -> None:
    study = make_study(state="draft")
    address = reverse("study", args=[study.slug])
    sent_from = {"HTTP_REFERER": f"http://testserver{address}"}
    answer = owner_client.post(reverse("study-open", args=[study.slug]), follow=True, **sent_from)
    assert answer.redirect_chain[0][0] == f"http://testserver{address}"
    assert "has no photographs yet" in answer.content.decode()
    study.refresh_from_db()
    assert study.state == "draft"


def test_pause_open_again_and_close(owner_client: Client) -> None:
    study = make_study()
    make_source(study)
    for name, sent, state in [
        ("study-pause", {}, "paused"),
        ("study-open", {}, "open"),
        ("study-close", {}, "open"),
        ("study-close", {"sure": "on"}, "closed"),
        ("study-open", {}, "closed"),
    ]:
        owner_client.post(reverse(name, args=[study.slug]), sent)
        study.refresh_from_db()
        assert study.state == state


def test_a_draft_can_be_changed_and_an_open_study_cannot(owner_client: Client) -> None:
    study = make_study(state="draft")
    address = reverse("study-settings", args=[study.slug])
    owner_client.post(address, STUDY_FORM | {"name": "Other leaves"})
    study.refresh_from_db()
    assert study.name == "Other leaves"
    Study.objects.filter(pk=study.pk).update(state="open", opened_at="2026-01-01T00:00Z")
    answer = owner_client.post(address, STUDY_FORM | {"name": "Third name"})
    study.refresh_from_db()
    assert answer.status_code == 400
    assert "can no longer change" in answer.content.decode()
    assert study.name == "Other leaves"


def test_the_size_is_settled_once_photographs_are_in(owner_client: Client) -> None:
    study = make_study(state="draft", max_width=400, max_height=560)
    make_source(study)
    answer = owner_client.post(reverse("study-settings", args=[study.slug]), STUDY_FORM | {"max_width": 300})
    assert "were cropped to this size" in answer.content.decode()

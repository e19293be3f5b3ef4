"""The researcher's way from an empty database to an open study."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import CodecReach, Reconstruction, Study
from codecs_zoo import registry
from codecs_zoo.contract import Availability
from tests.kit.factories import (
    make_judgment,
    make_png,
    make_session,
    make_source,
    make_study,
    make_triplet,
)
from tests.study_form import PAIRS, PROTOCOL, STIMULI, step_of

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
    with django_assert_max_num_queries(5):  # the login, the user, the studies, which are being encoded, crops
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


def new_study(client: Client, **sent: Any) -> Study:
    client.post(reverse("study-new"), {"name": "Autumn leaves"} | sent)
    return Study.objects.latest("pk")


def test_a_name_and_a_preset_make_a_draft(owner_client: Client) -> None:
    answer = owner_client.post(
        reverse("study-new"), {"name": "Autumn leaves", "title": "Leaves", "preset": "panel"}
    )
    study = Study.objects.get()
    assert answer.headers["Location"] == step_of(study, "stimuli")
    assert (study.state, study.preset, study.public_title) == ("draft", "panel", "Leaves")
    assert study.rules.panel == "prolific" and "jpeg" in study.codecs
    assert study.target_bpps == [0.23, 0.37, 0.67, 1.0]
    assert study.memberships.get().role == "owner"
    page = owner_client.get(step_of(study, "stimuli")).content.decode()
    assert 'value="jpeg" checked' in page and 'value="0.23, 0.37, 0.67, 1.00"' in page


def test_the_study_of_the_paper_is_a_preset(owner_client: Client) -> None:
    study = new_study(owner_client, preset="paper")
    assert study.target_bpps == [0.23, 0.37, 0.67, 1.0] and len(study.codecs) == 6
    assert {"jpeg", "webp", "avif", "checkerboard", "checkerboard-perceptual"} < set(study.codecs)
    assert study.rules.allocation == "ranking" and study.rules.consent
    assert (study.rules.pairs_within, study.rules.pairs_across) == (True, "off")


def test_a_preset_without_a_codec_that_it_needs_makes_nothing(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = registry.get("checkerboard")
    monkeypatch.setattr(codec, "availability", lambda: Availability(False, "no weights", "Get some."))
    page = owner_client.post(reverse("study-new"), {"name": "Six", "preset": "paper"})
    assert page.status_code == 400 and "requires checkerboard" in page.content.decode()
    assert not Study.objects.exists()


def test_a_study_called_new_does_not_hide_behind_the_form(owner_client: Client) -> None:
    assert new_study(owner_client, name="New").slug != "new"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 200}, "at most 120"),
        ({"preset": "king"}, "not one of the available choices"),
    ],
)
def test_a_new_study_that_is_wrong_says_what_and_makes_nothing(
    owner_client: Client, wrong: dict[str, Any], words: str
) -> None:
    answer = owner_client.post(reverse("study-new"), {"name": "Autumn leaves"} | wrong)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    ("step", "wrong", "words"),
    [
        ("stimuli", {"target_bpps": "a lot"}, "numbers separated by commas"),
        ("stimuli", {"target_bpps": "0.5, 900"}, "between 0.01 and 24"),
        ("stimuli", {"target_bpps": "nan"}, "between 0.01 and 24"),
        ("stimuli", {"target_bpps": ""}, "one or more bitrates for the codecs"),
        ("stimuli", {"name": ""}, "required"),
        ("pairs", {"votes_per_triplet": 0}, "greater than or equal to 1"),
        ("pairs", {"listed_pairs": "one thing"}, "is not a pair"),
        ("protocol", {"surround": "red"}, "valid value"),
    ],
)
def test_a_step_that_is_wrong_says_what_and_saves_nothing(
    owner_client: Client, step: str, wrong: dict[str, Any], words: str
) -> None:
    study = make_study(state="draft")
    before = Study.objects.values().get()
    sent = {"stimuli": STIMULI, "pairs": PAIRS, "protocol": PROTOCOL}[step]
    answer = owner_client.post(step_of(study, step), sent | wrong)
    assert answer.status_code == 400
    assert words in str(answer.context["faults"])
    assert Study.objects.values().get() == before


def test_each_step_is_saved_on_its_own_and_leads_to_the_next(owner_client: Client) -> None:
    study = make_study(state="draft")
    for step, sent, following in (
        ("stimuli", STIMULI, "pairs"),
        ("pairs", PAIRS, "protocol"),
        ("protocol", PROTOCOL, "review"),
    ):
        answer = owner_client.post(step_of(study, step), sent | {"then": "next"})
        assert answer.headers["Location"] == step_of(study, following)
        answer = owner_client.post(step_of(study, step), sent | {"then": "stay"})
        assert answer.headers["Location"] == step_of(study, step)
    study.refresh_from_db()
    assert (study.name, study.codecs, study.target_bpps) == ("Autumn leaves", ["jpeg", "webp"], [0.23, 0.67])
    assert (study.votes_per_triplet, study.min_view_ms) == (3, 500)
    assert study.saved_at is not None
    assert owner_client.get(reverse("study", args=[study.slug])).headers["Location"] == step_of(
        study, "stimuli"
    )


def test_photographs_come_in_and_each_bad_one_is_named(owner_client: Client) -> None:
    study = make_study(state="draft")
    files = [
        photograph(1, "a.png"),
        photograph(1, "again.png"),
        SimpleUploadedFile("notes.txt", b"not a photograph"),
        photograph(2, "b.png"),
    ]
    page = owner_client.post(step_of(study, "stimuli"), {"photographs": files, "licence": "CC0"})
    words = [fault for _, _, fault in page.context["faults"]]
    assert page.status_code == 400
    assert study.sources.count() == 2
    assert {use.licence for use in study.uses.all()} == {"CC0"}
    assert any(one.startswith("again.png: the study already has this photograph") for one in words)
    assert any(one.startswith("notes.txt:") for one in words)
    assert "2 photographs were added. That is kept." in page.content.decode()


def test_files_are_kept_when_a_field_beside_them_is_wrong(owner_client: Client) -> None:
    study = make_study(state="draft")
    sent = STIMULI | {"photographs": [photograph(1, "a.png")], "target_bpps": "none", "name": "Typed"}
    page = owner_client.post(step_of(study, "stimuli"), sent)
    shown = page.content.decode()
    assert page.status_code == 400 and study.sources.count() == 1
    assert "1 photograph was added. That is kept." in shown
    assert 'value="Typed"' in shown and 'value="none"' in shown
    study.refresh_from_db()
    assert study.name != "Typed"


def test_an_open_study_takes_no_more_photographs(owner_client: Client) -> None:
    study = make_study()
    sent = {"photographs": [photograph(1, "a.png")]}
    page = owner_client.post(step_of(study, "stimuli"), sent, follow=True)
    assert "can no longer change" in page.content.decode()
    assert not study.sources.exists()


def test_the_review_says_what_is_missing_and_where(owner_client: Client) -> None:
    study = make_study(state="draft", listed_pairs=["mine@1, webp@0.37"])
    page = owner_client.get(step_of(study, "review"))
    assert [(one.step, one.blocks) for one in page.context["findings"]] == [("stimuli", True)]
    make_source(study)
    findings = owner_client.get(step_of(study, "review")).context["findings"]
    assert ("pairs", True) in [(one.step, one.blocks) for one in findings]
    assert any("names mine@1" in one.words for one in findings)


def test_a_step_that_is_not_there_is_not_found(owner_client: Client) -> None:
    assert owner_client.get(step_of(make_study(state="draft"), "fifth")).status_code == 404


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
    address = step_of(study, "review")
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


def test_last_months_study_with_one_more_codec_takes_three_clicks(owner_client: Client) -> None:
    """Copy on its page, tick the codec, save: it is ready to open."""
    old = make_study(state="closed", closed_at="2026-01-01T00:00Z", name="Last month")
    make_source(old)
    for page in (reverse("study-new"), old.get_absolute_url()):
        assert reverse("study-copy", args=[old.slug]) in owner_client.get(page).content.decode()
    copied = owner_client.post(reverse("study-copy", args=[old.slug]))
    study = Study.objects.latest("pk")
    assert copied.headers["Location"] == step_of(study, "stimuli")
    # What the codecs reach is being measured before anybody saves.
    assert CodecReach.objects.filter(source__in=study.sources.all()).count() == len(old.codecs)
    sent = STIMULI | {"name": study.name, "codecs": [*old.codecs, "avif"], "target_bpps": "0.37, 1"}
    owner_client.post(step_of(study, "stimuli"), sent)
    findings = owner_client.get(step_of(study, "review")).context["findings"]
    assert not any(one.blocks for one in findings)
    owner_client.post(reverse("study-open", args=[study.slug]))
    study.refresh_from_db()
    assert study.state == "open" and Reconstruction.objects.needed_by(study).count() == 6


def test_a_long_name_is_cut_for_the_address_without_a_hyphen_at_its_end(owner_client: Client) -> None:
    name = "Thirty conditions with long names: a comparison of ten methods"
    owner_client.post(reverse("study-new"), {"name": name, "preset": "pairs"})
    assert not Study.objects.get(name=name).slug.endswith("-")

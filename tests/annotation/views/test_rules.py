"""The rules of a study on its form: each can be set, presets fill them in, an open study keeps its own."""

import re
from dataclasses import fields

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.presets import PRESETS, Preset
from annotation.core.protocol import Protocol
from annotation.models import Study
from tests.factories import make_study
from tests.study_form import STUDY_FORM

pytestmark = pytest.mark.django_db


def rules_of(study: Study) -> Protocol:
    study.refresh_from_db()
    return study.rules


def test_every_rule_of_the_protocol_can_be_set_on_a_draft(owner_client: Client) -> None:
    page = owner_client.get(reverse("study-new")).content.decode()
    assert all(f'name="{rule.name}"' in page for rule in fields(Protocol))
    wanted = Protocol(
        layout="toggle", sentinel_percent=10.0, exclude_reliability_under=0.6, stop_on="2027-01-31",
        completion_url="https://panel.example/done", allocation="ranking", undo_depth=3,
    )  # fmt: skip
    sent = STUDY_FORM | wanted.to_json() | {"max_width": "", "max_height": ""}
    owner_client.post(reverse("study-new"), sent)
    study = Study.objects.get()
    assert rules_of(study) == wanted.but(
        consent_text=wanted.consent_text.strip(), debrief=wanted.debrief.strip()
    )
    assert (study.max_width, study.max_height) == (1240, 560)


def test_what_is_wrong_with_a_rule_stands_beside_it(owner_client: Client) -> None:
    sent = STUDY_FORM | {"training_pairs": 3, "completion_url": "http://panel.example"}
    page = owner_client.post(reverse("study-new"), sent)
    assert page.status_code == 400
    assert "5 pairs or more" in page.context["form"].errors["training_pairs"][0]
    assert re.search(r'<details class="rules" open><summary><h3 class="h3">Training', page.content.decode())
    contradiction = STUDY_FORM | {"sentinel_percent": 40, "repeat_percent": 40}
    page = owner_client.post(reverse("study-new"), contradiction)
    assert "leave at least half" in page.context["form"].non_field_errors()[0]
    assert not Study.objects.exists()


def test_pictures_that_the_smallest_screen_cannot_hold_are_refused(owner_client: Client) -> None:
    page = owner_client.post(reverse("study-new"), STUDY_FORM | {"max_width": 401})
    assert "Take 400 or less" in page.context["form"].errors["max_width"][0]
    owner_client.post(reverse("study-new"), STUDY_FORM | {"max_width": 613, "min_screen_width": 1920})
    assert Study.objects.get().max_width == 613


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_a_preset_fills_the_form_and_saves_nothing(owner_client: Client, name: str, preset: Preset) -> None:
    sent = STUDY_FORM | {"preset": name, "completion_code": "C0FFEE", "name": "Half a name"}
    answer = owner_client.post(reverse("study-new"), sent)
    form = answer.context["form"]
    assert (answer.status_code, form.is_bound, Study.objects.exists()) == (200, False, False)
    assert {rule: form[rule].value() for rule in preset.rules} == preset.rules
    assert (form["completion_code"].value(), form["name"].value()) == ("C0FFEE", "Half a name")
    assert 'class="errorlist"' not in answer.content.decode()
    Protocol(**preset.rules)


def test_a_preset_on_a_draft_changes_it_only_when_it_is_saved(owner_client: Client) -> None:
    study = make_study(state="draft")
    address = reverse("study-settings", args=[study.slug])
    owner_client.post(address, STUDY_FORM | {"preset": "panel"})
    assert rules_of(study) == Protocol.bare()
    owner_client.post(address, STUDY_FORM | Protocol.bare().but(warm_up=7).to_json() | {"consent": ""})
    assert rules_of(study).warm_up == 7


def test_an_opened_study_shows_its_rules_and_takes_no_others(owner_client: Client) -> None:
    study = make_study(protocol=Protocol(repeat_percent=7.5).to_json())
    address = reverse("study-settings", args=[study.slug])
    page = owner_client.get(address).content.decode()
    assert "7.5 %" in page
    assert 'name="repeat_percent"' not in page
    owner_client.post(address, STUDY_FORM)
    assert rules_of(study).repeat_percent == 7.5

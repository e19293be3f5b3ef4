"""The rules of a study in its setup: each can be set, presets fill them in, an open study keeps its own."""

from dataclasses import fields

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.presets import PRESETS, differences
from annotation.core.protocol import Protocol
from annotation.forms.rules import words_of
from annotation.forms.steps import PairsForm, ProtocolForm, StimuliForm
from annotation.models import Study
from tests.kit.factories import make_study
from tests.study_form import PAIRS, PROTOCOL, STIMULI, rules_sent, step_of

pytestmark = pytest.mark.django_db

STEPS = (("stimuli", StimuliForm, STIMULI), ("pairs", PairsForm, PAIRS), ("protocol", ProtocolForm, PROTOCOL))


def rules_of(study: Study) -> Protocol:
    study.refresh_from_db()
    return study.rules


def test_every_rule_of_the_protocol_can_be_set_in_one_step_of_a_draft(owner_client: Client) -> None:
    names = [name for _, form, _ in STEPS for name in form.rule_names()]
    assert sorted(names) == sorted(rule.name for rule in fields(Protocol))
    study = make_study(state="draft")
    wanted = Protocol(
        layout="toggle", sentinel_percent=10.0, exclude_reliability_under=0.6, stop_on="2027-01-31",
        completion_url="https://panel.example/done", allocation="ranking", undo_depth=3,
    )  # fmt: skip
    for step, form, sent in STEPS:
        page = owner_client.get(step_of(study, step)).content.decode()
        assert all(f'name="{name}"' in page for name in form.rule_names())
        sizes = {"max_width": "", "max_height": ""} if step == "stimuli" else {}
        answer = owner_client.post(step_of(study, step), sent | rules_sent(form, wanted) | sizes)
        assert answer.status_code == 302, answer.context["faults"]
    assert rules_of(study) == wanted.replace(
        consent_text=wanted.consent_text.strip(), debrief=wanted.debrief.strip()
    )
    assert (study.max_width, study.max_height) == (1240, 560)


def test_what_is_wrong_stands_at_the_top_and_beside_the_field_and_what_was_typed_stays(
    owner_client: Client,
) -> None:
    study = make_study(state="draft")
    sent = PROTOCOL | {"training_pairs": 3, "question": "Which one?"}
    page = owner_client.post(step_of(study, "protocol"), sent)
    shown = page.content.decode()
    assert page.status_code == 400
    assert "at least 5 pairs" in page.context["form"].errors["training_pairs"][0]
    assert shown.index('id="faults"') < shown.index('href="#id_training_pairs"') < shown.index("<form class")
    assert '<details class="rules" id="rules-session" open>' in shown
    assert 'value="Which one?"' in shown
    contradiction = PROTOCOL | {"sentinel_percent": 40, "repeat_percent": 40}
    page = owner_client.post(step_of(study, "protocol"), contradiction)
    assert "leave at least half" in page.context["form"].non_field_errors()[0]
    assert rules_of(study) == Protocol.bare() and study.question != "Which one?"


def test_pictures_that_the_smallest_screen_cannot_hold_are_refused(owner_client: Client) -> None:
    study = make_study(state="draft")
    page = owner_client.post(step_of(study, "stimuli"), STIMULI | {"max_width": 401})
    assert "Use 400 or less" in page.context["form"].errors["max_width"][0]
    owner_client.post(step_of(study, "stimuli"), STIMULI | {"max_width": 613, "min_screen_width": 1920})
    study.refresh_from_db()
    assert study.max_width == 613


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_form_and_saves_nothing(owner_client: Client, name: str) -> None:
    study = make_study(state="draft")
    sent = PROTOCOL | {"preset": name, "completion_code": "C0FFEE", "question": "Half a question"}
    answer = owner_client.post(step_of(study, "protocol"), sent)
    form = answer.context["form"]
    here = [rule for rule in PRESETS[name].rules if rule in form.fields]
    assert (answer.status_code, form.is_bound) == (200, False)
    assert {rule: form[rule].value() for rule in here} == {rule: PRESETS[name].rules[rule] for rule in here}
    assert (form["completion_code"].value(), form["question"].value()) == ("C0FFEE", "Half a question")
    assert 'class="errorlist"' not in answer.content.decode()
    assert rules_of(study) == Protocol.bare()


def test_a_preset_is_kept_when_it_is_saved_and_differences_from_it_are_shown(owner_client: Client) -> None:
    study = make_study(state="draft", preset="laboratory")
    panel = Protocol(**PRESETS["panel"].rules).replace(sentinel_percent=11.0)
    sent = PROTOCOL | rules_sent(ProtocolForm, panel) | {"preset_name": "panel"}
    owner_client.post(step_of(study, "protocol"), sent)
    study.refresh_from_db()
    assert study.preset == "panel"
    page = owner_client.get(step_of(study, "protocol")).content.decode()
    assert 'Sentinels: <b>11 %</b> <span class="attention">(preset: 8 %)</span>' in page
    assert page.count("(preset:") == len(differences(study.protocol, "panel")) == 1


def test_the_instructions_follow_the_layout_until_they_are_written_anew(owner_client: Client) -> None:
    study = make_study(state="draft")
    owner_client.post(reverse("study-new"), {"name": "New", "preset": "laboratory"})
    study = Study.objects.latest("pk")
    assert "in the middle is the original" in study.instructions
    toggled = STIMULI | {"layout": "toggle", "max_width": "", "max_height": ""}
    owner_client.post(step_of(study, "stimuli"), toggled)
    study.refresh_from_db()
    assert "one picture at a time" in study.instructions
    owner_client.post(step_of(study, "protocol"), PROTOCOL)
    owner_client.post(step_of(study, "stimuli"), STIMULI)
    study.refresh_from_db()
    assert study.instructions == "Look closely."


def test_an_opened_study_shows_its_rules_and_takes_no_others(owner_client: Client) -> None:
    study = make_study(protocol=Protocol(repeat_percent=7.5).to_json())
    page = owner_client.get(reverse("study-settings", args=[study.slug])).content.decode()
    assert "7.5 %" in page
    assert 'name="repeat_percent"' not in page
    answer = owner_client.post(step_of(study, "protocol"), PROTOCOL, follow=True)
    assert "can no longer change" in answer.content.decode()
    assert rules_of(study).repeat_percent == 7.5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("stop_halfwidth", "off"),
        ("retention_days", "never"),
        ("break_every", "none"),
        ("exclude_fast_over", "off"),
    ],
)
def test_a_rule_whose_zero_means_something_says_what(name: str, words: str) -> None:
    rule = next(one for one in fields(Protocol) if one.name == name)
    assert words_of(rule, 0.0 if "exclude" in name or "half" in name else 0) == words

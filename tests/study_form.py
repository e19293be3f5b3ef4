"""What a browser sends for each step of a study's setup, in tests of its forms."""

from typing import Any

from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.forms.steps import PairsForm, ProtocolForm, StepForm, StimuliForm
from annotation.models import Study


def rules_sent(form: type[StepForm], rules: Protocol) -> dict[str, Any]:
    """The rules of a step: a browser sends no unticked box and every other rule."""
    stored = rules.to_json()
    return {name: stored[name] for name in form.rule_names() if stored[name] is not False}


BARE = Protocol.bare()
STIMULI: dict[str, Any] = {
    "step": "stimuli",
    "name": "Autumn leaves",
    "codecs": ["jpeg", "webp"],
    "target_bpps": "0.67, 0.23",
    "max_width": 400,
    "max_height": 560,
    **rules_sent(StimuliForm, BARE),
}
PAIRS: dict[str, Any] = {
    "step": "pairs",
    "votes_per_triplet": 3,
    "pairs_per_session": 40,
    **rules_sent(PairsForm, BARE),
}
PROTOCOL: dict[str, Any] = {
    "step": "protocol",
    "question": "Which is closer to the original?",
    "instructions": "Look closely.",
    "language": "en",
    "min_view_ms": 500,
    "surround": "#4d4d4d",
    "lease_seconds": 900,
    **rules_sent(ProtocolForm, BARE),
}


def step_of(study: Study, step: str) -> str:
    """The address of a step."""
    return reverse("study-setup", args=[study.slug, step])

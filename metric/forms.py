"""A training run's settings as forms: of a run by hand, and of the rule by which runs come of themselves."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django import forms

from metric.core.config import TrainConfig
from metric.models import RetrainRule
from metric.serializers import TrainConfigSerializer

TRUNKS = {
    "alex": "AlexNet: the quickest",
    "vgg": "VGG16: much slower, and the closest to people of the stock ones",
    "squeeze": "SqueezeNet",
}
KINDS = {
    "heads": "Heads: the layers of the trunk are weighed anew. Minutes.",
    "comp": "Heads and trunk: both are tuned together, as LPIPS-Comp. Hours without a GPU.",
    "ranker": "The way of 2018, for comparison: a small network learns to choose.",
}
TERMS = {"psnr": "PSNR", "ms-ssim": "MS-SSIM"}
DEVICES = {
    "auto": "Any worker of the queue train, on its GPU if it has one",
    "cpu": "Any worker of the queue train, on the CPU",
    "cuda": "A worker of the queue train-gpu",
}
CHOICES = ("nets", "kind", "terms", "structure", "reliability", "lapse", "device")
SETTINGS = tuple(field.name for field in fields(TrainConfig))


def settled(config: Mapping[str, Any]) -> TrainConfig:
    """The settings as training takes them. Raises ValidationError for what it does not know or take."""
    if set(config) - set(SETTINGS):
        raise forms.ValidationError(
            f'Settings are a JSON object such as {{"net": "vgg"}}, of: {", ".join(sorted(SETTINGS))}.'
        )
    # The API knows kinds, and how much a worker can do; TrainConfig knows what goes together.
    asked = TrainConfigSerializer(data=dict(config))
    wrong = [] if asked.is_valid() else [f"{name}: {_said(its)}" for name, its in asked.errors.items()]
    try:
        found = TrainConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
    except TypeError as error:
        raise forms.ValidationError(wrong or str(error)) from error
    if wrong:
        raise forms.ValidationError(wrong)
    return found


def _said(errors: Any) -> str:
    """The sentences of a serializer's errors, however deep they lie."""
    if isinstance(errors, dict | list):
        return " ".join(_said(its) for its in (errors.values() if isinstance(errors, dict) else errors))
    return str(errors)


class SettingsField(forms.JSONField):
    """Settings of a run that differ from the usual ones, as JSON."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def validate(self, value: Any) -> None:
        """Refuses what training does not know or take."""
        super().validate(value)
        if not isinstance(value or {}, dict):
            raise forms.ValidationError('Settings are a JSON object such as {"folds": 4}.')
        settled(value or {})


class TrainingForm(forms.Form):
    """What a run asked for by hand is made with: what most choose between, and anything else as JSON."""

    nets = forms.MultipleChoiceField(
        label="Trunk",
        choices=list(TRUNKS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="Several are joined in one fit.",
        error_messages={"required": "Choose at least one trunk."},
    )
    kind = forms.ChoiceField(label="What is trained", choices=list(KINDS.items()), widget=forms.RadioSelect)
    terms = forms.MultipleChoiceField(
        label="Joined with",
        choices=list(TERMS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Each gets a weight in the same fit, of zero where it does not help.",
    )
    structure = forms.BooleanField(
        label="Compare means and variances of features too", required=False, help_text="As DISTS does."
    )
    reliability = forms.BooleanField(
        label="Weigh annotators by how far they can be trusted",
        required=False,
        help_text="Estimated from their agreement with the others, together with the fit.",
    )
    lapse = forms.BooleanField(
        label="Fit the rate of random answers",
        required=False,
        help_text="Keeps slips of the finger on clear pairs from weighing too much.",
    )
    device = forms.ChoiceField(
        label="Where",
        choices=list(DEVICES.items()),
        help_text="A run waits until such a worker takes it.",
    )
    config = SettingsField(
        label="Settings, as JSON",
        required=False,
        initial=dict,
        help_text='What is not above, such as {"folds": 4, "seed": 7}.',
    )

    @classmethod
    def like(cls, config: Mapping[str, Any]) -> "TrainingForm":
        """Filled in with a run's settings, or with the usual ones."""
        usual = TrainConfig().as_json()
        its = {**usual, **config}
        if not its["nets"] or "nets" not in config and "net" in config:
            its["nets"] = [its["net"]]
        rest = {k: v for k, v in its.items() if k not in (*CHOICES, "net") and v != usual.get(k)}
        return cls(initial={**{name: its[name] for name in CHOICES}, "config": rest})

    def clean(self) -> dict[str, Any]:
        """With `settings`: all that was chosen, as training takes it."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            more = cleaned["config"] or {}
            if twice := sorted(set(more) & {*CHOICES, "net"}):
                raise forms.ValidationError(f"Chosen above, so not to be said again: {', '.join(twice)}.")
            chosen = {**more, **{name: cleaned[name] for name in CHOICES}}
            settled(chosen)
            cleaned["settings"] = chosen
        return cleaned


class RetrainRuleForm(forms.ModelForm):
    """A study's rule; settings that training does not know are refused here rather than at night."""

    config = SettingsField(
        label="Settings",
        required=False,
        initial=dict,
        help_text=RetrainRule._meta.get_field("config").help_text,
    )

    class Meta:
        model = RetrainRule
        fields = ["enabled", "hours_between", "quiet_from", "quiet_to", "config"]
        help_texts = {
            "enabled": "Otherwise only by hand, from a snapshot.",
            "hours_between": "At least so many from one run to the next.",
            "quiet_from": "Full hour. Training begins in these hours only.",
            "quiet_to": "The same hour as the first: at any hour.",
        }
        labels = {"hours_between": "Hours between runs", "quiet_from": "From", "quiet_to": "To"}

    def clean_config(self) -> dict[str, Any]:
        """Nothing written is nothing that differs."""
        return self.cleaned_data["config"] or {}

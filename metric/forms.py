"""The rule by which a study's metric is trained again, as a form."""

from dataclasses import fields
from typing import Any

from django import forms

from metric.core.config import TrainConfig
from metric.models import RetrainRule


class RetrainRuleForm(forms.ModelForm):
    """A study's rule; settings that training does not know are refused here rather than at night."""

    class Meta:
        model = RetrainRule
        fields = ["enabled", "hours_between", "quiet_from", "quiet_to", "config"]
        help_texts = {
            "enabled": "Otherwise only by hand, from a snapshot.",
            "hours_between": "At least so many from one run to the next.",
            "quiet_from": "Full hour. Training begins in these hours only.",
            "quiet_to": "The same hour as the first: at any hour.",
        }
        widgets = {"config": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}
        labels = {
            "hours_between": "Hours between runs",
            "quiet_from": "From",
            "quiet_to": "To",
            "config": "Settings",
        }

    def clean_config(self) -> dict[str, Any]:
        """The settings as training takes them."""
        config = self.cleaned_data["config"] or {}
        known = {field.name for field in fields(TrainConfig)}
        if not isinstance(config, dict) or set(config) - known:
            raise forms.ValidationError(
                f'Settings are a JSON object such as {{"net": "vgg"}}, of: {", ".join(sorted(known))}.'
            )
        try:
            TrainConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})
        except (TypeError, ValueError) as error:
            raise forms.ValidationError(str(error)) from error
        return config

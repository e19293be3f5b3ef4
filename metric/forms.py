"""A training run's settings as forms: of a run by hand, and of the rule by which runs come of themselves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from django import forms

from annotation.forms.fields import set_choices
from metric.core import codec_tuning
from metric.core.config import TrainConfig, settings
from metric.core.setting import Setting
from metric.models import RetrainRule

CHOICES = ("nets", "kind", "terms", "structure", "reliability", "lapse", "device")


def validated_config(config: Mapping[str, Any]) -> TrainConfig:
    """The settings as training takes them. Raises ValidationError for what it does not know or take."""
    if set(config) - set(settings()):
        raise forms.ValidationError(
            f'Settings are a JSON object such as {{"net": "vgg"}}, of: {", ".join(sorted(settings()))}.'
        )
    try:
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
        return TrainConfig(**given)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


class SettingsField(forms.JSONField):
    """Settings of a run that differ from the usual ones, as JSON."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def validate(self, value: Any) -> None:
        """Refuses what training does not know or take."""
        super().validate(value)
        if not isinstance(value or {}, dict):
            raise forms.ValidationError('Settings are a JSON object such as {"folds": 4}.')
        validated_config(value or {})


class Described(TypedDict):
    """What a field says of itself."""

    label: str
    help_text: str


def _described(name: str) -> Described:
    """Label and help of a setting, as a page shows them."""
    setting = settings()[name][1]
    return {"label": setting.label, "help_text": f"{setting.help[:1].upper()}{setting.help[1:]}."}


def _choice(name: str, **more: Any) -> forms.ChoiceField:
    choices = list(settings()[name][1].choices.items())
    return forms.ChoiceField(choices=choices, **_described(name), **more)


def _choices(name: str, **more: Any) -> forms.MultipleChoiceField:
    setting = settings()[name][1]
    return forms.MultipleChoiceField(
        choices=list(setting.choices.items()), widget=forms.CheckboxSelectMultiple, required=not setting.empty,
        **_described(name), **more,
    )  # fmt: skip


def _switch(name: str) -> forms.BooleanField:
    return forms.BooleanField(required=False, **_described(name))


class TrainingForm(forms.Form):
    """The settings of a run started by hand: those that most choose between, and any other as JSON."""

    nets = _choices("nets", error_messages={"required": "Choose at least one trunk."})
    kind = _choice("kind", widget=forms.RadioSelect)
    terms = _choices("terms")
    structure = _switch("structure")
    reliability = _switch("reliability")
    lapse = _switch("lapse")
    device = _choice("device")
    config = SettingsField(
        label="Settings, as JSON",
        required=False,
        initial=dict,
        help_text='Settings that are not listed above, such as {"folds": 4, "seed": 7}.',
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
                raise forms.ValidationError(
                    f"Already chosen above; remove from the JSON: {', '.join(twice)}."
                )
            chosen = {**more, **{name: cleaned[name] for name in CHOICES}}
            validated_config(chosen)
            cleaned["settings"] = chosen
        return cleaned

    def differing(self) -> dict[str, Any]:
        """Of a valid form: the settings that are not the usual ones, which is what a rule keeps."""
        usual = TrainConfig().as_json()
        return {
            name: value for name, value in self.cleaned_data["settings"].items() if value != usual.get(name)
        }


if TYPE_CHECKING:
    RuleForm = forms.ModelForm[RetrainRule]
else:  # the class has no type arguments when it runs
    RuleForm = forms.ModelForm


class RetrainRuleForm(RuleForm):
    """When a study's metric is trained again; what with, a TrainingForm beside it says."""

    class Meta:
        model = RetrainRule
        fields = ["enabled", "hours_between", "quiet_from", "quiet_to"]
        help_texts = {
            "enabled": "If not, training is started only by hand, from a snapshot.",
            "hours_between": "Minimum time between two runs.",
            "quiet_from": "Full hour. Training starts only between these hours.",
            "quiet_to": "Same as the first: training may start at any hour.",
        }
        labels = {"hours_between": "Hours between runs", "quiet_from": "From", "quiet_to": "To"}


class CodecTuningForm(forms.Form):
    """Which codec is tuned, and how: one field for each setting of CodecTuning."""

    codec = forms.ChoiceField(label="Codec", help_text="Training starts from its weights.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from metric.services.codec_requests import trainable_codecs

        super().__init__(*args, **kwargs)
        set_choices(self, "codec", [(name, name) for name in trainable_codecs()])
        for name, (field, setting) in codec_tuning.settings().items():
            self.fields[name] = _tuning_field(field.default, setting)

    def clean(self) -> dict[str, Any]:
        """With `chosen`: what `request_codec_training` takes."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            options = {name: cleaned[name] for name in codec_tuning.settings()}
            try:
                codec_tuning.CodecTuning(**options)
            except ValueError as error:
                words = str(error)
                self.add_error(next((name for name in options if words.startswith(f"{name} ")), None), words)
            cleaned["chosen"] = {"codec": cleaned["codec"], "options": options}
        return cleaned


def _tuning_field(default: Any, setting: Setting) -> forms.Field:
    common: dict[str, Any] = {
        "label": setting.label,
        "help_text": f"{setting.help[:1].upper()}{setting.help[1:]}.",
        "initial": default,
    }
    if setting.choices:
        return forms.ChoiceField(choices=list(setting.choices.items()), **common)
    if isinstance(default, int):
        least, most = setting.whole_limits
        return forms.IntegerField(min_value=least, max_value=most, **common)
    return forms.FloatField(min_value=setting.least, max_value=setting.most, **common)

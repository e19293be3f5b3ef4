"""Fields that clean to what a study keeps: bitrates, and pairs listed one by one."""

from typing import Any

from django import forms

from annotation.core.bitrates import rate_in_words
from annotation.core.pairing import PairingError, listed_to_json, parse_list
from annotation.errors import Refused
from annotation.services.studies import check_bpps


class ListedPairsField(forms.CharField):
    """Pairs, one a line; cleans to the lines that a study keeps."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """The list as one writes it."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Raises ValidationError with every line that is no pair."""
        try:
            return listed_to_json(parse_list(super().clean(value)))
        except PairingError as error:
            raise forms.ValidationError(list(error.faults)) from error


class BitratesField(forms.CharField):
    """Bits per pixel, written one after another; cleans to a list of floats, the lowest first; empty: none."""

    def prepare_value(self, value: Any) -> Any:
        """The list as one writes it, every rate with two decimals at least."""
        return ", ".join(map(rate_in_words, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for what is not a number, or a bitrate that no codec is used at."""
        words = super().clean(value).replace(",", " ").split()
        if not words:
            return []
        try:
            bpps = sorted(float(word) for word in words)
        except ValueError as error:
            raise forms.ValidationError(
                "Write bitrates as numbers separated by commas, such as 0.23, 0.67."
            ) from error
        try:
            check_bpps(bpps)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return bpps


def faults_of(form: forms.BaseForm | None) -> list[tuple[str, str, str]]:
    """(id of the field, its label, what is wrong) for everything that is wrong, for the top of the page."""
    if form is None:
        return []
    every = [(field.id_for_label or f"{field.name}-label", str(field.label), field.errors) for field in form]
    of_fields = [(target, label, str(fault)) for target, label, faults in every for fault in faults]
    return [*(("", "", str(fault)) for fault in form.non_field_errors()), *of_fields]


def set_choices(form: forms.BaseForm, name: str, choices: list[tuple[str, str]]) -> None:
    """Gives a choice field of the form its choices, where they are known only when the form is made."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


class ConfirmForm(forms.Form):
    """A step that cannot be taken back."""

    sure = forms.BooleanField(error_messages={"required": "Tick the box to confirm."})

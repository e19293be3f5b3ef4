"""What a researcher fills in."""

from dataclasses import dataclass
from typing import Any

from django import forms

from annotation.errors import Refused
from annotation.models import Study
from annotation.services.studies import check_bpps
from codecs_zoo import registry

INSTRUCTIONS = (
    "You will see three pictures. The one in the middle is the original photograph; the other two were compressed. "
    "Choose the one that is closer to the original. Look at what seems different, not at which one you like better. "
    "There is no right answer and no hurry."
)


class BitratesField(forms.CharField):
    """Bits per pixel, written one after another; cleans to a list of floats, the lowest first."""

    def prepare_value(self, value: Any) -> Any:
        """The list as one writes it."""
        return ", ".join(f"{bpp:g}" for bpp in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for what is not a number, or a bitrate that no codec is used at."""
        words = super().clean(value).replace(",", " ").split()
        try:
            bpps = sorted(float(word) for word in words)
        except ValueError as error:
            raise forms.ValidationError(
                "Write bitrates as numbers with commas between, such as 0.23, 0.67."
            ) from error
        try:
            check_bpps(bpps)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return bpps


# Known to everybody, and few enough that pairs stay few; those that can't run here are left out.
USUAL_CODECS = ("jpeg", "jpeg2000", "webp", "avif", "jpegxl")


@dataclass(frozen=True)
class CodecChoice:
    """A codec as the form offers it."""

    name: str
    kind: str
    licence: str
    available: bool
    why_not: str
    chosen: bool


class StudyForm(forms.ModelForm):
    """Everything that decides what people are asked. It saves nothing: services do."""

    codecs = forms.MultipleChoiceField(
        error_messages={
            "required": "Choose at least two codecs: a pair is two reconstructions of one photograph."
        }
    )
    target_bpps = BitratesField(
        label="Bitrates",
        help_text="Bits per pixel, with commas between. Each codec aims at each of them.",
    )

    class Meta:
        model = Study
        fields = [
            *("name", "question", "instructions", "codecs", "target_bpps", "votes_per_triplet"),
            *("pairs_per_session", "allow_ties", "min_view_ms", "max_width", "max_height"),
        ]
        labels = {
            "votes_per_triplet": "Judgments for each pair",
            "pairs_per_session": "Pairs in a sitting",
            "allow_ties": "Offer “can’t tell”",
            "min_view_ms": "Shortest view, in milliseconds",
            "max_width": "Widest picture, in pixels",
            "max_height": "Tallest picture, in pixels",
        }
        help_texts = {
            "name": "For you and your colleagues. Annotators see it too.",
            "question": "Stands above every pair.",
            "instructions": "Shown before the first pair.",
            "votes_per_triplet": "By as many different people. Two or more let you see how far people agree.",
            "pairs_per_session": "Sixty take most people ten to fifteen minutes.",
            "allow_ties": "A tie counts half for each side.",
            "min_view_ms": "No answer is taken sooner.",
            "max_width": "Larger photographs are cropped, never scaled. At 400, three fit beside each other.",
            "max_height": "",
        }
        widgets = {"instructions": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offered = registry.codecs()
        self.fields["codecs"].choices = [(codec.name, codec.name) for codec in self._offered]
        self.fields["name"].widget.attrs["autofocus"] = not self.instance.pk
        if not self.instance.pk:
            self.initial.setdefault("instructions", INSTRUCTIONS)
            self.initial.setdefault("target_bpps", self.instance.target_bpps)
            self.initial.setdefault("codecs", list(USUAL_CODECS))

    def codec_choices(self) -> list[CodecChoice]:
        """Every codec of the zoo, those first that can run here; the others say why they can't."""
        chosen = self["codecs"].value() or []
        choices = [_choice(codec, codec.name in chosen) for codec in self._offered]
        return sorted(choices, key=lambda choice: not choice.available)


def _choice(codec: Any, chosen: bool) -> CodecChoice:
    found = codec.availability()
    why_not = f"{found.reason} {found.how}".strip()
    return CodecChoice(
        codec.name, codec.kind, codec.licence, found.available, why_not, chosen and found.available
    )


class ConfirmForm(forms.Form):
    """A step that cannot be taken back."""

    sure = forms.BooleanField(error_messages={"required": "Tick the box to say that you mean it."})

"""What a researcher fills in."""

from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from typing import Any, Self, get_type_hints

from django import forms
from django.forms import BoundField
from django.http import QueryDict

from annotation.core.pairing import PairingError, listed_to_json, parse_list
from annotation.core.presets import PRESETS, Preset
from annotation.core.protocol import Protocol, ProtocolError, largest_picture
from annotation.errors import Refused
from annotation.models import Study
from annotation.reports.processes import availabilities
from annotation.services.studies import check_bpps
from codecs_zoo import registry
from codecs_zoo.contract import Availability, Codec

INSTRUCTIONS = (
    "You will see three pictures. The one in the middle is the original photograph; the other two were compressed. "
    "Choose the one that is closer to the original. Look at what seems different, not at which one you like better. "
    "There is no right answer and no hurry."
)


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


# The protocol's groups, as a form and a frozen study show them: title, and what it is about.
GROUPS = {
    "arrival": ("Arrival", "Consent, screen and sight, before the first pair."),
    "session": ("Training and sessions", "What is practised, and how long people sit."),
    "pair": ("Layout", "How the three pictures stand, and what can be taken back."),
    "pairs": ("Pairs", "Which conditions are compared with each other."),
    "checks": (
        "Checks inside the stream",
        "Shares of all pairs, spread evenly; nobody can tell them from the rest.",
    ),
    "allocation": ("What comes next, and when it ends", "The order of pairs and the rules to stop."),
    "exclusion": ("Who is left out", "Their answers stay and are not counted. 0 turns a rule off."),
    "panel": ("Outside panel", "Where people come from, and what they get for it."),
    "after": ("Afterwards", "What people read at the end, and how long they are known."),
}
CHOICES = {
    "require": "Required: who fails it cannot take part",
    "record": "Recorded",
    "skip": "Skipped",
    "side": "Side by side, the original in the middle",
    "toggle": "In one place, switched by key",
    "flicker": "Flickering in one place (may harm people with photosensitive epilepsy)",
    "off": "None",
    "method": "Neighbouring levels of a method",
    "all": "Neighbouring levels, of a method and between methods",
    "coverage": "Those judged least first",
    "ranking": "Those that say most about the ranking",
    "uncertain": "Those where the metric and people disagree",
    "none": "None: people come by the study’s link or an invitation",
    "prolific": "Prolific",
    "mturk": "Amazon Mechanical Turk",
    "other": "Another one",
}
KINDS: dict[type, type[forms.Field]] = {
    bool: forms.BooleanField,
    int: forms.IntegerField,
    float: forms.FloatField,
    str: forms.CharField,
}
DAYS = ("stop_on",)


def field_of(rule: Field[Any], kind: type) -> forms.Field:
    """The form's field for a rule, by what its metadata says."""
    says = rule.metadata
    unit = f", {says['unit']}" if "unit" in says else ""
    told: dict[str, Any] = {"label": says["label"] + unit, "help_text": says["help"]}
    if "choices" in says:
        return forms.ChoiceField(choices=[(name, CHOICES[name]) for name in says["choices"]], **told)
    if kind in (int, float):
        return KINDS[kind](min_value=says["least"], max_value=says["most"], **told)
    if says.get("long"):
        told["widget"] = forms.Textarea(attrs={"rows": 6})
    elif rule.name in DAYS:
        told["widget"] = forms.TextInput(attrs={"type": "date"})
    return KINDS[kind](required=False, **told)


@dataclass(frozen=True)
class RuleGroup:
    """A group of the protocol's rules: its fields for a form, and their values in words once they are frozen."""

    title: str
    about: str
    fields: list[BoundField]
    facts: list[tuple[str, str]]

    @property
    def has_errors(self) -> bool:
        """Whether it has to be opened for somebody to see what is wrong."""
        return any(field.errors for field in self.fields)


def words_of(rule: Field[Any], value: Any) -> str:
    """A rule's value as one says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if "choices" in rule.metadata:
        return CHOICES[value]
    if value == "":
        return "–"
    if value == 0 and rule.metadata["group"] == "exclusion":
        return "off"
    unit = rule.metadata.get("unit", "")
    return f"{value:g} {unit}".strip() if isinstance(value, int | float) else str(value)


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

    begun_from = ""  # the preset whose button was pressed

    codecs = forms.MultipleChoiceField(required=False)
    target_bpps = BitratesField(
        label="Bitrates",
        help_text="Bits per pixel, with commas between. Each codec aims at each of them.",
    )

    listed_pairs = ListedPairsField(
        label="Pairs one by one",
        required=False,
        help_text="One a line, beside those that the rules under “Pairs” make: mycodec@0.5, original; or "
        "sunset.png, avif@0.37, webp@0.37 for one photograph.",
    )

    class Meta:
        model = Study
        fields = [
            *("name", "title", "question", "instructions", "codecs", "target_bpps", "votes_per_triplet"),
            *("pairs_per_session", "allow_ties", "min_view_ms", "max_width", "max_height"),
            *("surround", "lease_seconds"),
        ]
        labels = {
            "votes_per_triplet": "Judgments for each pair",
            "pairs_per_session": "Pairs in a session",
            "allow_ties": "Offer “can’t tell”",
            "min_view_ms": "Shortest view, in milliseconds",
            "max_width": "Widest picture, in pixels",
            "max_height": "Tallest picture, in pixels",
            "surround": "Grey around the pictures",
            "lease_seconds": "A pair is kept for somebody, in seconds",
        }
        help_texts = {
            "name": "For you and your colleagues.",
            "title": "What annotators read. Empty: the name.",
            "question": "Stands above every pair.",
            "instructions": "Shown before the first pair.",
            "votes_per_triplet": "By as many different people. Two or more let you see how far people agree.",
            "pairs_per_session": "Sixty take most people ten to fifteen minutes.",
            "allow_ties": "A tie counts half for each side.",
            "min_view_ms": "No answer is taken sooner.",
            "max_width": "Larger photographs are cropped, never scaled. Empty: what the smallest screen holds.",
            "max_height": "",
            "surround": "From #333333 to #808080.",
            "lease_seconds": "Then it goes to somebody else.",
        }
        widgets = {"instructions": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offered = registry.codecs()
        self.fields["codecs"].choices = [(codec.name, codec.name) for codec in self._offered]
        self.fields["name"].widget.attrs["autofocus"] = not self.instance.pk
        self._add_rules()
        self.initial.setdefault("listed_pairs", self.instance.listed_pairs)
        for name in ("max_width", "max_height"):
            self.fields[name].required = False
            if not self.instance.pk and name not in (kwargs.get("initial") or {}):
                self.initial[name] = None
        if not self.instance.pk:
            self.initial.setdefault("instructions", INSTRUCTIONS)
            self.initial.setdefault("target_bpps", self.instance.target_bpps)
            self.initial.setdefault("codecs", list(USUAL_CODECS))

    @classmethod
    def asked(cls, sent: QueryDict, **kwargs: Any) -> Self:
        """The form as it was sent; where a preset's button was pressed, to look at again with the preset's rules."""
        preset = PRESETS.get(sent.get("preset", ""))
        if preset is None:
            return cls(sent or None, **kwargs)
        typed = {name: sent.get(name, "") for name in cls(**kwargs).fields}
        form = cls(initial=typed | {"codecs": sent.getlist("codecs")} | preset.rules, **kwargs)
        form.begun_from = sent["preset"]
        form.fields["name"].widget.attrs.pop("autofocus", None)  # the page goes to the rules
        return form

    @staticmethod
    def presets() -> dict[str, Preset]:
        """Sets of rules to begin from."""
        return PRESETS

    def _add_rules(self) -> None:
        kinds, stored = get_type_hints(Protocol), self.instance.rules.to_json()
        for rule in fields(Protocol):
            self.fields[rule.name] = field_of(rule, kinds[rule.name])
            self.initial.setdefault(rule.name, stored[rule.name])

    def clean(self) -> dict[str, Any]:
        """The fields with all rules as one "protocol", and a crop that fits where none was asked for."""
        cleaned = super().clean() or self.cleaned_data
        rules = {rule.name: cleaned.pop(rule.name) for rule in fields(Protocol) if rule.name in cleaned}
        if len(rules) < len(fields(Protocol)):
            return cleaned
        try:
            protocol = Protocol(**rules)
            protocol.refuse_contradictions()
        except ProtocolError as error:
            self.add_error(error.rule or None, str(error))
            return cleaned
        cleaned["protocol"] = protocol.to_json()
        for name, most in zip(("max_width", "max_height"), largest_picture(protocol), strict=True):
            if name in cleaned:
                cleaned[name] = cleaned[name] or most
        return cleaned

    def rule_groups(self) -> Iterator[RuleGroup]:
        """The protocol's rules, group by group."""
        stored = self.instance.rules
        for group, (title, about) in GROUPS.items():
            rules = [rule for rule in fields(Protocol) if rule.metadata["group"] == group]
            facts = [(rule.metadata["label"], words_of(rule, getattr(stored, rule.name))) for rule in rules]
            yield RuleGroup(title, about, [self[rule.name] for rule in rules], facts)

    def codec_choices(self) -> list[CodecChoice]:
        """Every codec of the zoo, those first that can run here; the others say why they can't."""
        chosen = self["codecs"].value() or []
        found = availabilities(self._offered)
        choices = [_choice(codec, found[codec.name], codec.name in chosen) for codec in self._offered]
        return sorted(choices, key=lambda choice: not choice.available)


def _choice(codec: Codec, found: Availability, chosen: bool) -> CodecChoice:
    why_not = f"{found.reason} {found.how}".strip()
    return CodecChoice(
        codec.name, codec.kind, codec.licence, found.available, why_not, chosen and found.available
    )


class ConfirmForm(forms.Form):
    """A step that cannot be taken back."""

    sure = forms.BooleanField(error_messages={"required": "Tick the box to say that you mean it."})

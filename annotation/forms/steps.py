"""The steps of setting up a study, a form each. They save nothing: services do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

from django import forms
from django.http import QueryDict

from annotation.core.instructions import DEFAULT_INSTRUCTIONS, fitting
from annotation.core.presets import PRESETS, Preset
from annotation.core.protocol import Protocol, largest_picture
from annotation.core.rule import ProtocolError
from annotation.forms.fields import BitratesField, ListedPairsField, set_choices
from annotation.forms.rules import BY_NAME, RuleGroup, rule_field, rule_groups
from annotation.models import Study
from annotation.reports.processes import availabilities
from codecs_zoo import registry
from codecs_zoo.contract import Availability, Codec

if TYPE_CHECKING:
    StudyForm = forms.ModelForm[Study]
else:  # the class has no type arguments when it runs
    StudyForm = forms.ModelForm


class StepForm(StudyForm):
    """A part of a draft: some of its own fields, and the protocol's rules of some groups."""

    groups: ClassVar[tuple[str, ...]] = ()
    more_rules: ClassVar[tuple[str, ...]] = ()
    elsewhere: ClassVar[tuple[str, ...]] = ()
    preset = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preset = self.instance.preset
        kinds, stored = get_type_hints(Protocol), self.instance.rules.to_json()
        for name in self.rule_names():
            self.fields[name] = rule_field(BY_NAME[name], kinds[name])
            self.initial.setdefault(name, stored[name])

    @classmethod
    def rule_names(cls) -> list[str]:
        """The rules that this step sets."""
        by_rule = [name for name, rule in BY_NAME.items() if rule.metadata["group"] in cls.groups]
        return [*cls.more_rules, *(name for name in by_rule if name not in cls.elsewhere)]

    def clean(self) -> dict[str, Any]:
        """The fields, with all rules of the study as one "protocol"."""
        cleaned = super().clean() or self.cleaned_data
        names = self.rule_names()
        given = {name: cleaned.pop(name) for name in names if name in cleaned}
        if len(given) < len(names):
            return cleaned
        try:
            protocol = self.instance.rules.replace(**given)
            protocol.require_consistent()
        except ProtocolError as error:
            here = error.rule in self.fields
            self.add_error(error.rule if here else None, str(error))
            return cleaned
        return cleaned | {"protocol": protocol.to_json()}

    def rule_groups(self) -> Iterator[RuleGroup]:
        """The groups that have a field in this step."""
        bound = {name: self[name] for name in self.rule_names()}
        groups = rule_groups(self.instance.rules, self.preset, bound.get)
        return (group for group in groups if group.name in self.groups)


@dataclass(frozen=True)
class CodecChoice:
    """A codec as the form offers it."""

    name: str
    kind: str
    licence: str
    available: bool
    why_not: str
    chosen: bool


class StimuliForm(StepForm):
    """Step 1: what is compared, and how much of a photograph the layout shows."""

    more_rules = ("layout", "min_screen_width", "min_screen_height")
    codecs = forms.MultipleChoiceField(required=False)
    target_bpps = BitratesField(
        label="Bitrates, bits per pixel",
        required=False,
        help_text="With commas between. Each codec aims at each of them.",
    )

    class Meta:
        model = Study
        fields = ["name", "title", "codecs", "target_bpps", "max_width", "max_height"]
        labels = {
            "title": "Public title",
            "max_width": "Widest picture, px",
            "max_height": "Tallest picture, px",
        }
        help_texts = {
            "name": "Seen by you and your colleagues.",
            "title": "Seen by annotators. Empty: the name.",
            "max_width": "Empty: the largest that fits the smallest screen in this layout.",
            "max_height": "Larger photographs are cropped, never scaled.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A codec that the zoo has lost stays listed, so that the draft can be saved without it.
        self._codecs = registry.codecs()
        set_choices(self, "codecs", [(codec.name, codec.name) for codec in self._codecs])
        for name in ("max_width", "max_height"):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """Bitrates where codecs are chosen, a crop that fits, and instructions in the words of the layout."""
        cleaned = super().clean()
        if cleaned.get("codecs") and not cleaned.get("target_bpps") and "target_bpps" not in self.errors:
            self.add_error("target_bpps", "Give one or more bitrates for the codecs, such as 0.23, 0.67.")
        if "protocol" not in cleaned:
            return cleaned
        rules = Protocol.from_json(cleaned["protocol"])
        for name, most in zip(("max_width", "max_height"), largest_picture(rules), strict=True):
            if name in cleaned:
                cleaned[name] = cleaned[name] or most
        return cleaned | {"instructions": fitting(self.instance.instructions, rules.layout)}

    def codec_choices(self) -> list[CodecChoice]:
        """Every codec of the zoo, those first that can run here; the others say why they can't."""
        chosen = self["codecs"].value() or []
        states = availabilities(self._codecs)
        choices = [_choice(codec, states[codec.name], codec.name in chosen) for codec in self._codecs]
        return sorted(choices, key=lambda choice: not choice.available)


def _choice(codec: Codec, state: Availability, chosen: bool) -> CodecChoice:
    why_not = f"{state.reason} {state.how}".strip()
    return CodecChoice(
        codec.name, codec.kind, codec.licence, state.available, why_not, chosen and state.available
    )


class PairsForm(StepForm):
    """Step 2: which pairs there are, and how often each is judged."""

    groups = ("pairs", "allocation")
    listed_pairs = ListedPairsField(
        label="Individual pairs",
        required=False,
        help_text="One per line, in addition to the pairs made by the rules: mycodec@0.5, original; or "
        "sunset.png, avif@0.37, webp@0.37 for one photograph.",
    )

    class Meta:
        model = Study
        fields = ["votes_per_triplet", "pairs_per_session", "allow_ties"]
        labels = {
            "votes_per_triplet": "Judgments for each pair",
            "pairs_per_session": "Pairs in a session",
            "allow_ties": "Offer “can’t tell”",
        }
        help_texts = {
            "votes_per_triplet": "Each by a different person. At least two are needed to measure agreement.",
            "pairs_per_session": "Including checks and warm-up.",
            "allow_ties": "A tie counts as half a vote for each side.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("listed_pairs", self.instance.listed_pairs)


class ProtocolForm(StepForm):
    """Step 3: what people read, pass and are shown, and whose answers count."""

    groups = ("arrival", "session", "pair", "checks", "exclusion", "panel", "after")
    elsewhere = StimuliForm.more_rules
    preset_name = forms.ChoiceField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Study
        fields = [
            *("question", "instructions", "language", "annotators_choose_language"),
            *("min_view_ms", "surround", "lease_seconds"),
        ]
        labels = {
            "language": "Language of annotators’ pages",
            "annotators_choose_language": "Annotators may choose another language",
            "min_view_ms": "Shortest view, ms",
            "surround": "Grey around the pictures",
            "lease_seconds": "Lease of a pair, s",
        }
        help_texts = {
            "question": "Shown above every pair.",
            "instructions": "Shown before the first pair. Empty: none.",
            "min_view_ms": "No answer is accepted earlier.",
            "surround": "From #333333 to #808080.",
            "lease_seconds": "After this time the pair goes to somebody else.",
        }
        widgets = {"instructions": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "preset_name", [("", ""), *((name, one.label) for name, one in PRESETS.items())])
        self.initial.setdefault("preset_name", self.instance.preset)

    @classmethod
    def received(cls, data: QueryDict, **kwargs: Any) -> Self:
        """The form as it was sent; where a preset's button was pressed, to look at again with the preset's rules."""
        chosen = data.get("preset", "")
        preset = PRESETS.get(chosen)
        if preset is None:
            return cls(data or None, **kwargs)
        names = cls.rule_names()
        typed = {name: data.get(name, "") for name in cls(**kwargs).fields}
        rules = {name: value for name, value in preset.rules.items() if name in names}
        form = cls(initial=typed | rules | {"preset_name": chosen}, **kwargs)
        form.preset = chosen
        form.instance.protocol = form.instance.rules.replace(**preset.rules).to_json()
        return form

    @staticmethod
    def presets() -> dict[str, Preset]:
        """Sets of rules to begin from."""
        return PRESETS

    def clean(self) -> dict[str, Any]:
        """The preset by its own name beside the rest."""
        cleaned = super().clean()
        if "preset_name" in cleaned:
            cleaned["preset"] = cleaned.pop("preset_name")
        return cleaned

    def default_instructions(self) -> str:
        """The default text for the study's layout."""
        return DEFAULT_INSTRUCTIONS[self.instance.rules.layout]


class NewStudyForm(StudyForm):
    """A name, and what the draft begins from."""

    preset = forms.ChoiceField(
        label="Begin from", widget=forms.RadioSelect, initial="laboratory", required=False
    )

    class Meta:
        model = Study
        fields = ["name", "title"]
        labels = {"title": "Public title"}
        help_texts = {
            "name": "Seen by you and your colleagues.",
            "title": "Seen by annotators. Empty: the name.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "preset", [(name, one.label) for name, one in PRESETS.items()])
        self.fields["name"].widget.attrs["autofocus"] = True

    @staticmethod
    def presets() -> dict[str, Preset]:
        """Sets of rules to begin from, with what they say of themselves."""
        return PRESETS

    def clean_preset(self) -> str:
        """The laboratory's where nothing was chosen."""
        return self.cleaned_data["preset"] or "laboratory"

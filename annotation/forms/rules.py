"""The protocol's rules as fields of a form, and as facts once they are frozen."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import Field, dataclass, fields
from typing import Any

from django import forms
from django.forms import BoundField

from annotation.core.presets import PRESETS, differences
from annotation.core.protocol import Protocol

# The protocol's groups, as a form and a frozen study show them: title, and what it is about.
GROUPS = {
    "arrival": ("Arrival", "Consent, screen and sight, before the first pair."),
    "session": ("Training and sessions", "Practice before judging, and the length of a session."),
    "pair": ("Layout", "How the three pictures are arranged, and how many answers can be undone."),
    "pairs": ("Pairs", "Which conditions are compared with each other."),
    "checks": (
        "Hidden checks",
        "Shares of all pairs, spread evenly; annotators cannot tell them from other pairs.",
    ),
    "allocation": ("Order and stopping", "The order of pairs, and the rules for stopping."),
    "exclusion": (
        "Who is excluded",
        "Answers of excluded annotators are kept but not counted. 0 turns a rule off.",
    ),
    "panel": ("Outside panel", "Where participants come from, and their completion code."),
    "after": ("Afterwards", "The text at the end, and how long personal data are kept."),
}
CHOICES = {
    "require": "Required: anyone who fails it cannot take part",
    "record": "Recorded",
    "skip": "Skipped",
    "side": "Side by side, the original in the middle",
    "toggle": "In one place, switched by key: allows the largest pictures",
    "flicker": "Flickering in one place (may harm people with photosensitive epilepsy)",
    "off": "None",
    "method": "Neighbouring levels of a method",
    "all": "Neighbouring levels, of a method and between methods",
    "coverage": "Pairs with the fewest judgments first",
    "ranking": "Pairs that are most informative for the ranking",
    "uncertain": "Pairs where the metric and people disagree",
    "none": "None: participants use the study’s link or an invitation",
    "prolific": "Prolific",
    "mturk": "Amazon Mechanical Turk",
    "other": "Another one",
}
KINDS: dict[type, type[forms.Field]] = {
    bool: forms.BooleanField,
    str: forms.CharField,
}
DAYS = ("stop_on",)
BY_NAME = {rule.name: rule for rule in fields(Protocol)}


def rule_field(rule: Field[Any], kind: type) -> forms.Field:
    """The form's field for a rule, by what its metadata says."""
    metadata = rule.metadata
    unit = f", {metadata['unit']}" if "unit" in metadata else ""
    options: dict[str, Any] = {"label": metadata["label"] + unit, "help_text": metadata["help"]}
    if "choices" in metadata:
        return forms.ChoiceField(choices=[(name, CHOICES[name]) for name in metadata["choices"]], **options)
    if kind in (int, float):
        number = forms.IntegerField if kind is int else forms.FloatField
        return number(min_value=metadata["least"], max_value=metadata["most"], **options)
    if metadata.get("long"):
        options["widget"] = forms.Textarea(attrs={"rows": 6})
    elif rule.name in DAYS:
        options["widget"] = forms.TextInput(attrs={"type": "date"})
    return KINDS[kind](required=False, **options)


@dataclass(frozen=True)
class RuleValue:
    """A rule's value in words, and the preset's in words where that is another one."""

    label: str
    words: str
    preset: str = ""

    @property
    def brief(self) -> str:
        """The value on one line."""
        first = self.words.split("\n", 1)[0].split(":", 1)[0]
        return first if len(first) <= 40 else f"{first[:39]}…"


@dataclass(frozen=True)
class RuleGroup:
    """A group of the protocol's rules: its fields for a form, and their values in words."""

    name: str
    title: str
    about: str
    fields: list[BoundField]
    facts: list[RuleValue]

    @property
    def has_errors(self) -> bool:
        """Whether it has to be opened for somebody to see what is wrong."""
        return any(field.errors for field in self.fields)

    @property
    def changed(self) -> int:
        """How many rules have another value than in the preset."""
        return sum(bool(fact.preset) for fact in self.facts)


def words_of(rule: Field[Any], value: Any) -> str:
    """A rule's value as one says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if "choices" in rule.metadata:
        return CHOICES[value]
    if value == "":
        return "–"
    if value == 0 and (zero := "off" if rule.metadata["group"] == "exclusion" else rule.metadata.get("zero")):
        return str(zero)
    unit = rule.metadata.get("unit", "")
    if isinstance(value, int):
        return f"{value:,} {unit}".strip()
    return f"{value:g} {unit}".strip() if isinstance(value, float) else str(value)


def rule_facts(rules: Protocol, preset: str, names: Iterable[str]) -> list[RuleValue]:
    """Rules in words; those that differ from the preset say what it has."""
    changed = differences(rules.to_json(), preset)
    return [
        RuleValue(
            BY_NAME[name].metadata["label"],
            words_of(BY_NAME[name], getattr(rules, name)),
            words_of(BY_NAME[name], changed[name]) if name in changed else "",
        )
        for name in names
    ]


def rule_groups(
    rules: Protocol,
    preset: str,
    bound: Callable[[str], BoundField | None] = lambda name: None,
    *,
    hidden: Collection[str] = (),
) -> Iterator[RuleGroup]:
    """The protocol's rules, group by group, but for those that are `hidden`.

    `bound` gives a rule's field, or None where a form has none.
    """
    for group, (title, about) in GROUPS.items():
        names = [
            name for name, rule in BY_NAME.items() if rule.metadata["group"] == group and name not in hidden
        ]
        form_fields = [field for name in names if (field := bound(name)) is not None]
        yield RuleGroup(group, title, about, form_fields, rule_facts(rules, preset, names))


def preset_label(name: str) -> str:
    """What a preset is called; "" for none."""
    return PRESETS[name].label if name in PRESETS else ""

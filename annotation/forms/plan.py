"""The planner's form: how large a study is, what is assumed, or which half-width is wished."""

from typing import Any

from django import forms

from psychometrics.planning import Assumed

COUNTS = (
    ("conditions", "Methods compared", 2, 40, True),
    ("levels", "Levels", 1, 40, True),
    ("sources", "Photographs", 1, 500, False),
    ("annotators", "Annotators", 1, 2000, False),
    ("votes", "Votes on each pair", 1, 500, False),
)
ASSUMED = (
    ("step", "Distance between neighbours", 0.01, 5.0, "JND"),
    ("of_people", "Spread between people", 0.0, 3.0, "JND"),
    ("of_sources", "Spread between photographs", 0.0, 3.0, "JND"),
    ("seconds", "Seconds per answer", 0.5, 600.0, ""),
    ("arrival_minutes", "Minutes before the first pair", 0.0, 120.0, ""),
    ("pay_per_hour", "Pay per hour", 0.0, 10_000.0, "any currency"),
)


def within_limits(numbers: dict[str, float]) -> dict[str, float]:
    """The numbers as the form takes them: those of a large study, or of a pilot that scattered, at its limits."""
    limits = {name: (low, high) for name, _, low, high, _ in (*COUNTS, *ASSUMED)}
    return {name: min(max(value, limits[name][0]), limits[name][1]) for name, value in numbers.items()}


class PlanForm(forms.Form):
    """A size, or a wish; and what is assumed. Without a wish every number of the size is required."""

    halfwidth = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=5,
        label="Required half-width",
        help_text="JND. Finds the cheapest study; photographs and annotators are then upper limits.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, least, most, required in COUNTS:
            self.fields[name] = forms.IntegerField(
                label=label, min_value=least, max_value=most, required=required
            )
        for name, label, low, high, unit in ASSUMED:
            self.fields[name] = forms.FloatField(
                label=label, min_value=low, max_value=high, required=False, help_text=unit
            )

    def clean(self) -> dict[str, Any]:
        """Say which numbers of the size are missing."""
        cleaned = super().clean() or {}
        if not cleaned.get("halfwidth"):
            for name, label, *_ in COUNTS:
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, f"Give {label.lower()}, or a required half-width.")
        return cleaned

    def assumed(self, base: Assumed) -> Assumed:
        """What is assumed, `base` where nothing is said."""
        given = {
            name: self.cleaned_data[name] for name, *_ in ASSUMED if self.cleaned_data.get(name) is not None
        }
        return Assumed(**({name: getattr(base, name) for name, *_ in ASSUMED} | given), tie=base.tie)

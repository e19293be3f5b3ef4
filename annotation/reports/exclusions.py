"""Why annotators are excluded, in words."""

from dataclasses import fields

from annotation.core.annotator_quality import RULES
from annotation.core.protocol import Protocol

BY_HAND = "by hand"
_RULES = {rule.name: rule.metadata for rule in fields(Protocol)}


def rule_in_words(name: str, rules: Protocol) -> str:
    """A rule with its limit: “Sentinels right under 75 %”; a reason given by hand stays as it is."""
    if name not in RULES:
        return name
    return f"{_RULES[name]['label']} {getattr(rules, name):g} {_RULES[name].get('unit', '')}".strip()


def reason_group(name: str) -> str:
    """The rule, or "by hand" for every reason that a researcher wrote."""
    return name if name in RULES else BY_HAND

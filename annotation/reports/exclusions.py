"""Why annotators are excluded, in words."""

from dataclasses import fields

from annotation.core.annotator_quality import BY_HAND, HAND, RULES
from annotation.core.protocol import Protocol
from annotation.models import Enrolment

_RULES = {rule.name: rule.metadata for rule in fields(Protocol)}


def rule_in_words(name: str, rules: Protocol) -> str:
    """A rule with its limit: “Sentinels right under 75 %”; what is no rule stays as it is."""
    if name not in RULES:
        return name
    return f"{_RULES[name]['label']} {getattr(rules, name):g} {_RULES[name].get('unit', '')}".strip()


def reason_group(name: str) -> str:
    """What excluded somebody: all reasons that researchers wrote are one, "by hand"."""
    return BY_HAND if name.startswith(BY_HAND) else name


def reason_in_words(enrolment: Enrolment) -> str:
    """Why somebody is excluded, in full; "" for those who count."""
    if HAND in enrolment.figures:
        return f"{BY_HAND}: {enrolment.figures[HAND]['reason']}"
    return rule_in_words(enrolment.excluded_by, enrolment.study.rules)

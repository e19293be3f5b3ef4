"""What a draft still lacks: sentences that do not keep it from being opened."""

import pytest

from annotation.core.consent import FIRST_DEFAULT_DEBRIEF
from annotation.core.protocol import Protocol
from annotation.reports.readiness import readiness_findings
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db


def words_of(**rules: object) -> str:
    study = make_study(state="draft", protocol=Protocol().replace(**rules).to_json())
    make_source(study)
    findings = [one for one in readiness_findings(study) if one.step == "protocol"]
    assert not any(one.blocks for one in findings)
    return " ".join(one.words for one in findings)


NO_CHECKS = {"sentinel_percent": 0.0, "identical_percent": 0.0, "repeat_percent": 0.0}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, ""),
        (NO_CHECKS, "The debrief speaks of checks"),
        (NO_CHECKS | {"debrief": FIRST_DEFAULT_DEBRIEF}, "The debrief speaks of checks"),
        (NO_CHECKS | {"debrief": "Thanks."}, ""),
        ({"golden_percent": 3.0}, "Golden pairs come once an expert"),
        ({"panel": "prolific"}, "neither a completion code nor a return address"),
    ],
)
def test_what_a_protocol_lacks_is_said(rules: dict[str, object], words: str) -> None:
    sentences = words_of(**rules)
    assert words in sentences and bool(words) == bool(sentences)

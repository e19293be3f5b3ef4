"""What a draft still lacks: sentences that do not keep it from being opened."""

from pathlib import Path

import pytest

from annotation.core.consent import FIRST_DEFAULT_DEBRIEF
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.reports.readiness import readiness_findings
from annotation.services.studies import check_codecs
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


def blockers(codecs: list[str]) -> str:
    study = make_study(state="draft")
    study.codecs = codecs
    return " ".join(
        one.words for one in readiness_findings(study) if one.blocks and "photographs" not in one.words
    )


def test_codecs_with_options_are_known() -> None:
    assert "checkerboard" not in blockers(["jpeg", "checkerboard@effort=1,saliency=contrast"])


def test_a_codec_that_cannot_run_is_named_before_the_study_opens(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    damaged = f"checkerboard@effort=1,tune={tmp_path}"
    assert "manifest.json is damaged" in blockers(["jpeg", damaged])
    assert "There is no codec named 'jpg'" in blockers(["jpg"])
    assert "jpeg has no option speed" in blockers(["jpeg@speed=1"])
    with pytest.raises(Refused, match="manifest.json is damaged"):
        check_codecs([damaged])

"""What a draft still lacks, step by step: what keeps it from being opened, and what its results will lack."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotation.core.consent import DEFAULT_DEBRIEF, FIRST_DEFAULT_DEBRIEF
from annotation.core.pairing import groups, unknown_names
from annotation.core.pairing import in_words as joined_in_words
from annotation.models import Source, Study
from annotation.reports.cost import planned_pairs
from annotation.reports.processes import availabilities
from annotation.reports.reach import study_reach
from codecs_zoo import registry
from codecs_zoo.contract import Codec, CodecError
from codecs_zoo.variants import Variant, check_ready, with_options


@dataclass(frozen=True)
class Finding:
    """A sentence about a step of the setup; `blocks` where the study cannot be opened because of it."""

    step: str
    words: str
    blocks: bool = True


def readiness_findings(study: Study) -> list[Finding]:
    """All findings about a draft before it is opened, blockers first."""
    findings = [*_stimuli(study), *_pairs(study), *_reach(study), *_protocol(study)]
    return sorted(findings, key=lambda one: not one.blocks)


def pair_faults(study: Study) -> list[str]:
    """A sentence for everything that is wrong with the study's pairs."""
    conditions, names = study.conditions(), study.uses.values_list("name", flat=True)
    if faults := unknown_names(study.pairing.listed, conditions, names):
        return faults
    if planned_pairs(study):
        return []
    return [
        f"“{study}” has no pair to show. A pair needs two conditions of one photograph: add a codec or "
        f"your own pictures at the same level, or choose other pairs."
    ]


def codec_faults(names: Iterable[str]) -> list[str]:
    """A sentence for each codec, with its options, that is unknown or cannot run where it is needed."""
    codecs, faults = [], []
    for name in sorted(names):
        try:
            codecs.append(registry.get(name))
            _check_folder(codecs[-1])
        except (KeyError, CodecError) as error:
            faults.append(str(error.args[0]))
    return faults + [
        f"{name} is not available here: {state.reason} {state.how}".strip()
        for name, state in availabilities(codecs).items()
        if not state.available
    ]


def _check_folder(codec: Codec) -> None:
    """Raises CodecError if the codec is tuned to a folder that holds no whole metric version."""
    if isinstance(codec, Variant) and "/" in str(codec.fixed.get("tune", "")):
        check_ready(with_options(codec.codec, {**codec.fixed, "saliency": "none"}))


def _stimuli(study: Study) -> list[Finding]:
    findings = []
    if not study.sources.exists():
        findings.append(Finding("stimuli", "The study has no photographs yet."))
    findings += [Finding("stimuli", words) for words in codec_faults(study.codecs)]
    splits = set(study.sources.values_list("split", flat=True))
    if splits and splits != set(Source.Split.values):
        findings.append(
            Finding(
                "stimuli",
                "The metric cannot be trained on this study: its photographs do not cover all of train, "
                "val and test. Ten or more photographs usually do.",
                blocks=False,
            )
        )
    return findings


def _pairs(study: Study) -> list[Finding]:
    if not study.sources.exists():
        return []
    if faults := pair_faults(study):
        return [Finding("pairs", words) for words in faults]
    conditions = study.conditions()
    if len(groups(conditions, study.pairing.pairs(conditions))) > 1:
        return [Finding("pairs", joined_in_words(conditions, study.pairing), blocks=False)]
    return []


def _reach(study: Study) -> list[Finding]:
    return [Finding("stimuli", words, blocks=False) for row in study_reach(study) for words in row.misses()]


def _protocol(study: Study) -> list[Finding]:
    return [*_golden(study), *_debrief(study), *_codes(study)]


def _debrief(study: Study) -> list[Finding]:
    rules = study.rules
    checks = rules.sentinel_percent or rules.identical_percent or rules.repeat_percent or rules.golden_percent
    if checks or not rules.consent or rules.debrief not in (DEFAULT_DEBRIEF, FIRST_DEFAULT_DEBRIEF):
        return []
    words = "The debrief speaks of checks (known answers, repeats), and this study has none: rewrite it."
    return [Finding("protocol", words, blocks=False)]


def _golden(study: Study) -> list[Finding]:
    if not study.rules.golden_percent:
        return []
    words = "Golden pairs come once an expert has answered some, on the page Pairs, when the study is open."
    return [Finding("protocol", words, blocks=False)]


def _codes(study: Study) -> list[Finding]:
    rules = study.rules
    if rules.panel == "none" or rules.completion_code or rules.completion_url:
        return []
    words = (
        "Panel participants get neither a completion code nor a return address: set one under Outside panel."
    )
    return [Finding("protocol", words, blocks=False)]

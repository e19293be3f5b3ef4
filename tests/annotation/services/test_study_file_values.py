"""Values of study files: every preset and every rule out and in, and values of a wrong kind refused by name."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from annotation.core.presets import PRESETS
from annotation.core.protocol import Protocol, ProtocolError
from annotation.errors import BadStudyFile, FaultyPictures, Refused
from annotation.models import Study
from annotation.services.presets import create_from_preset
from annotation.services.study_files import RULES, create_from_file, describe_study, export_study
from tests.annotation.services.test_own_pictures import good, write
from tests.kit.factories import make_pixels, make_study, make_user

pytestmark = pytest.mark.django_db

LINES = {"format": '"closer-study/1"', "name": '"x"', "codecs": '["jpeg", "webp"]', "target_bpps": "[0.5]"}


def file(rules: str = "", **lines: str) -> str:
    top = "".join(f"{name} = {value}\n" for name, value in (LINES | lines).items())
    return f"{top}{rules}"


def test_an_unknown_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refused, match="language must be one of en, de, es, zh-hans, not 'zh-Hans'"):
        create_from_file(text=file(language='"zh-Hans"'), owner=make_user())


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_goes_out_and_in(preset: str) -> None:
    owner = make_user()
    study = create_from_preset(owner=owner, preset=preset, name="Named", title="For all")
    text = export_study(study, panel_codes=True)
    again = create_from_file(text=text, owner=owner)
    assert describe_study(again) == describe_study(study) and export_study(again, panel_codes=True) == text


def other_value(rule: Any) -> Any:
    """A value that the rule may have, and by default has not."""
    tried = [
        True,
        False,
        1,
        2,
        7,
        30,
        60,
        0.5,
        3.0,
        45.0,
        "2031-01-31",
        "Other words",
        1000,
        2500,
        5.0,
        60_000,
    ]
    for value in [*(rule.metadata.get("choices") or ()), *tried]:
        try:
            if type(value) is type(rule.default) and value != rule.default:
                Protocol.from_json({rule.name: value})
                return value
        except ProtocolError:
            continue
    raise AssertionError(f"No other value of {rule.name} was tried.")


@pytest.mark.parametrize("rule", fields(Protocol), ids=lambda rule: rule.name)
def test_each_rule_goes_out_and_in(rule: Any) -> None:
    if rule.name in (
        "completion_url",
        "screen_out_url",
    ):  # addresses are held against codes, in tests of their own
        return
    study = make_study(state="draft", protocol={rule.name: other_value(rule)}, max_width=64, max_height=64)
    again = create_from_file(text=export_study(study, panel_codes=True))
    assert getattr(again.rules, rule.name) == other_value(rule) and again.rules == study.rules


@pytest.mark.parametrize("rule", RULES)
def test_a_value_of_another_kind_is_refused_by_the_name_of_its_rule(rule: str) -> None:
    for value in (
        "inf",
        "nan",
        "1979-05-27",
        "[[]]",
        "{a = 1}",
        "[{a = 1}]",
        '[1, "a"]',
        "1e400",
        "true",
        "0",
    ):
        try:
            study = create_from_file(text=file(**{rule: value}))
        except Refused as refusal:
            assert "convert" not in str(refusal)
        else:
            assert create_from_file(text=export_study(study, panel_codes=True)).rules == study.rules
    assert not Study.objects.filter(name__in=["0", "True"]).exists()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"votes_per_triplet": "inf"}, "votes_per_triplet must be a whole number"),
        ({"allow_ties": "1"}, "allow_ties must be true or false"),
        ({"codecs": "[1]"}, "codecs must be a list of texts"),
        ({"target_bpps": "[true]"}, "target_bpps must be a list of numbers"),
        ({"title": "3"}, "title must be a text"),
    ],
)
def test_what_kind_a_rule_has_is_said(lines: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        create_from_file(text=file(**lines))


@pytest.mark.parametrize("level", ["nan", "1e300", "true", "-1", '"x"'])
def test_a_picture_at_no_level_is_not_known(level: str) -> None:
    with pytest.raises(Refused, match="is not stored here"):
        create_from_file(text=file(f'[[pictures]]\nphotograph = "p"\nmethod = "m"\nlevel = {level}\n'))


def test_a_byte_order_mark_and_lines_of_windows_are_read() -> None:
    assert create_from_file(text="\ufeff" + file().replace("\n", "\r\n")).name == "x"


def test_a_whole_number_is_the_number_that_its_rule_holds() -> None:
    rules = create_from_file(text=file("[protocol]\ngolden_percent = 4\n")).rules
    assert isinstance(rules.golden_percent, float) and math.isclose(rules.golden_percent, 4)
    with pytest.raises(Refused, match="Golden pairs must be between 0 and 50"):
        create_from_file(text=file(f"[protocol]\ngolden_percent = {10**400}\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            file(vote_per_triplet="3"),
            "There is no rule named 'vote_per_triplet': did you mean 'votes_per_triplet'?",
        ),
        (file(PAIRS_ACROSS='"all"'), "no rule named 'PAIRS_ACROSS': did you mean 'pairs_across'?"),
        (file(training_pairs="0"), r"no rule named 'training_pairs': write it below \[protocol\]."),
        (file("[protocol]\nvotes_per_triplet = 3\n"), r"'votes_per_triplet': write it above \[protocol\]."),
        (
            file("[protocol]\npair_across = 'all'\n"),
            "no rule named 'pair_across': did you mean 'pairs_across'?",
        ),
        (file(name='"a\\u0000b"'), "name contains a zero byte"),
        (file('[protocol]\ndebrief = "a\\u0000"\n'), "protocol.debrief contains a zero byte"),
        (file('[[photographs]]\nname = "\\u0000"\n'), r"photographs\[1\].name contains a zero byte"),
        (file(zzz="3"), "There is no rule named 'zzz'[.]"),
        (file(allow_missing='"no"'), "allow_missing must be true or false"),
        (file(stimuli="3"), "stimuli must be a text"),
        (file(name='"é"').encode("latin-1"), r"not text in UTF-8 \(line 2\)"),
        (file().encode("utf-16"), r"not text in UTF-8 \(line 1\)"),
    ],
)
def test_what_was_likely_meant_is_named(text: str | bytes, words: str) -> None:
    with pytest.raises(BadStudyFile, match=words):
        create_from_file(text=text)
    assert not Study.objects.exists()


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    assert create_from_file(text=b"\xef\xbb\xbf" + file(name='"é"').encode()).name == "é"


def test_a_study_file_may_allow_missing_cells(tmp_path: Path) -> None:
    write(tmp_path / "own", good() | {"dawn/extra@9.png": make_pixels(9)})
    text = 'format = "closer-study/1"\nname = "x"\nstimuli = "own"\n'
    with pytest.raises(FaultyPictures, match="dusk lacks extra@9"):
        create_from_file(text=text, folder=tmp_path)
    study = create_from_file(text=text + "allow_missing = true\n", folder=tmp_path)
    assert study.own_pictures.filter(method="extra").count() == 1

"""Names of conditions: what they may be, and what is said of those that are none."""

import pytest

from annotation.core.conditions import ORIGINAL, Condition, ConditionError


@pytest.mark.parametrize("name", ["avif@0.37", "my codec v2@45", "Kamera_3+@1", "original"])
def test_a_name_is_read_as_it_is_written(name: str) -> None:
    assert str(Condition.parse(name)) == name


def test_the_original_has_no_level() -> None:
    assert Condition.parse(" original ") == ORIGINAL
    assert ORIGINAL.is_original and not Condition("avif", 1.0).is_original


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("avif", "no level: write METHOD@LEVEL"),
        ("avif@high", "'high' is not a number"),
        ("avif@", "is not a number"),
        ("avif@nan", "above 0 and below 1000"),
        ("avif@0", "above 0 and below 1000"),
        ("avif@-3", "above 0 and below 1000"),
        ("avif@1000", "above 0 and below 1000"),
        ("avif@0.12345", "at most four decimals"),
        ("@0.37", "cannot name a method"),
        ("../x@1", "cannot name a method"),
        ("a" * 41 + "@1", "at most 40 letters"),
        ("original@1", "has no level; give the method another name"),
        ("Original@1", "has no level; give the method another name"),
    ],
)
def test_what_is_no_condition_is_told_why(name: str, words: str) -> None:
    with pytest.raises(ConditionError, match=words):
        Condition.parse(name)


@pytest.mark.parametrize("level", ["1_0", "１", "٣"])
def test_a_level_that_only_python_reads_as_a_number_is_refused(level: str) -> None:
    with pytest.raises(ConditionError, match="is not a number"):
        Condition.parse(f"jpeg@{level}")

"""Which version is in use: by the interval, or by hand with a reason; one at a time."""

from typing import Any

import pytest

from annotation.errors import Refused
from annotation.models import Snapshot
from metric.models import MetricVersion, TrainingRun
from metric.services.promotion import back_to_stock, promote_if_better, promote_version, roll_back
from tests.kit.factories import make_study

pytestmark = pytest.mark.django_db


ENOUGH = {"n_photographs": 8, "n_triplets_twice": 20, "n_annotators": 3}


def make_version(
    number: int,
    *,
    low: float | None,
    simulated: bool = False,
    of_row: dict[str, Any] | None = None,
    numbers: dict[str, int | None] | None = None,
    calibration_before: float | None = 0.05,
    stock: dict[str, Any] | None = None,
    **fields: Any,
) -> MetricVersion:
    study = make_study()
    snapshot = Snapshot.objects.create(study=study, number=1, simulated=simulated, until=study.created_at)
    difference = {"mean": 0.02, "low": low, "high": 0.04}
    row = {"kind": "new", "difference_to_promoted": difference, "difference_to_stock": difference} | (
        of_row or {}
    )
    return MetricVersion.objects.create(
        number=number,
        run=TrainingRun.objects.create(study=study, snapshot=snapshot),
        net="alex",
        kind="heads",
        simulated=simulated,
        sha256="0" * 64,
        manifest={},
        evaluation={
            "rows": [
                row,
                {"kind": "promoted", "calibration_error": calibration_before},
                {"key": "lpips-alex", "kind": "baseline"} | (stock or {}),
            ],
            **ENOUGH,
            **(numbers or {}),
        },
        **fields,
    )


def test_the_first_version_is_held_against_the_stock_heads() -> None:
    version = make_version(1, low=0.004)
    assert promote_if_better(version=version, rival=None).startswith(
        "promoted: +2.0 points (+0.4 to +4.0) against stock"
    )
    version.refresh_from_db()
    assert version.promoted and version.promotion_reason


@pytest.mark.parametrize("low", [-0.001, 0.0])
def test_an_interval_that_touches_zero_is_not_enough(low: float) -> None:
    version = make_version(1, low=low)
    assert promote_if_better(version=version, rival=None).startswith("not promoted")
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_no_interval_is_not_enough() -> None:
    assert "too small" in promote_if_better(version=make_version(1, low=None), rival=None)


def test_the_next_version_is_held_against_the_promoted_one() -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    assert "against version 1" in promote_if_better(version=make_version(2, low=0.001), rival=first)
    assert MetricVersion.objects.get(promoted=True).number == 2


@pytest.mark.parametrize("trained_beside", [None, 1])
def test_what_was_held_against_another_version_than_the_one_in_use_is_not_promoted(
    trained_beside: int | None,
) -> None:
    rivals = {1: promote_version(version=make_version(1, low=None), reason="the first")}
    version = make_version(2, low=0.1)
    promote_version(version=make_version(3, low=None), reason="by hand, meanwhile")
    output = promote_if_better(version=version, rival=rivals.get(trained_beside or 0))
    assert output.startswith("not promoted: version 3 was promoted while this one trained; train again")
    assert MetricVersion.objects.get(promoted=True).number == 3


def test_what_learned_from_programs_never_takes_the_place_of_what_learned_from_people() -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    simulated = make_version(2, low=0.1, simulated=True)
    assert "simulated" in promote_if_better(version=simulated, rival=first)
    assert MetricVersion.objects.get(promoted=True).number == 1


def test_what_learned_from_people_need_not_be_better_than_what_learned_from_programs() -> None:
    simulated = promote_version(version=make_version(1, low=None, simulated=True), reason="the first")
    difference = {"mean": 0.02, "low": 0.004, "high": 0.04}
    behind = {"difference_to_promoted": {**difference, "low": -0.1}, "difference_to_stock": difference}
    version = make_version(2, low=None, of_row=behind)
    assert "against stock LPIPS" in promote_if_better(version=version, rival=simulated)
    assert MetricVersion.objects.get(promoted=True).number == 2


def test_by_hand_needs_a_reason() -> None:
    version = make_version(1, low=None)
    with pytest.raises(Refused, match="Give a reason"):
        promote_version(version=version, reason="  ")


def test_the_version_in_use_is_not_promoted_again() -> None:
    version = make_version(1, low=None)
    promote_version(version=version, reason="once")
    with pytest.raises(Refused, match="already in use"):
        promote_version(version=version, reason="twice")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("n_photographs", "7 photographs, at least 8 are needed"),
        ("n_triplets_twice", "19 pairs with two votes, at least 20"),
        ("n_annotators", "2 people, at least 3"),
    ],
)
def test_a_test_split_that_is_too_small_promotes_nothing(name: str, words: str) -> None:
    version = make_version(1, low=0.1, numbers={name: ENOUGH[name] - 1})
    assert words in promote_if_better(version=version, rival=None)
    assert not MetricVersion.objects.filter(promoted=True).exists()


@pytest.mark.parametrize(
    ("of_row", "words"),
    [
        (
            {"log_loss_difference_to_stock": {"mean": 0.001, "low": -0.1, "high": 0.1}},
            "above that of stock LPIPS",
        ),
        ({"log_loss_difference_to_promoted": {"mean": 0.001}}, "above that of the version in use"),
        ({"calibration_error": 0.06}, "predicted shares are off by 6.0 points"),
        (
            {"difference_to_psnr": {"mean": -0.02, "low": -0.03, "high": -0.01}},
            "PSNR agrees with people significantly",
        ),
    ],
)
def test_what_is_worse_in_anything_that_counts_is_not_promoted(of_row: dict[str, Any], words: str) -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    outcome = promote_if_better(version=make_version(2, low=0.01, of_row=of_row), rival=first)
    assert outcome.startswith("not promoted")
    assert words in outcome
    assert MetricVersion.objects.get(promoted=True).number == 1


@pytest.mark.parametrize(
    ("of_row", "stock", "words"),
    [
        ({"calibration_error": 0.06}, {"calibration_error": 0.059}, "those of stock LPIPS by 5.9"),
        ({"score": 0.5}, {}, "agrees with 50.0 % of votes, chance with 50 %"),
        ({"score": 0.46}, {"score": 0.42}, "agrees with 46.0 % of votes, chance"),
        (
            {"score": 0.6, "log_loss": 0.694},
            {"log_loss": 0.8},
            "its log-loss is 0.6940, that of chance 0.6931",
        ),
    ],
)
def test_a_first_version_behind_stock_or_a_coin_is_not_promoted(
    of_row: dict[str, Any], stock: dict[str, Any], words: str
) -> None:
    outcome = promote_if_better(version=make_version(1, low=0.01, of_row=of_row, stock=stock), rival=None)
    assert outcome.startswith("not promoted") and words in outcome
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_a_first_version_that_is_better_in_everything_is_promoted() -> None:
    of_row = {"score": 0.6, "log_loss": 0.65, "calibration_error": 0.02}
    version = make_version(1, low=0.01, of_row=of_row, stock={"calibration_error": 0.02})
    assert promote_if_better(version=version, rival=None).startswith("promoted")


@pytest.mark.parametrize(
    ("stock", "words"),
    [
        ({"reason": "it was not computed"}, "; it was not computed"),
        ({"key": "lpips-vgg"}, "; the table has no row for it"),
        ({}, "; the test split is too small"),
    ],
)
def test_a_difference_that_is_not_known_has_its_reason(stock: dict[str, Any], words: str) -> None:
    version = make_version(1, low=None, of_row={"difference_to_stock": None}, stock=stock)
    outcome = promote_if_better(version=version, rival=None)
    assert outcome == f"not promoted: no interval for the difference to stock LPIPS{words}"


NO_STOCK = {"available": False, "reason": "its weights are not here."}


def test_where_stock_lpips_cannot_be_had_the_first_version_is_held_against_psnr() -> None:
    gain = {"mean": 0.02, "low": 0.004, "high": 0.036}
    of_row = {"difference_to_stock": None, "difference_to_psnr": gain}
    version = make_version(1, low=None, of_row=of_row, stock=NO_STOCK)
    outcome = promote_if_better(version=version, rival=None)
    assert outcome == (
        "promoted: +2.0 points (+0.4 to +3.6) against PSNR (stock LPIPS is unavailable) on the test sources"
    )


@pytest.mark.parametrize(
    ("of_row", "words"),
    [
        ({"difference_to_psnr": {"mean": 0.003, "low": -0.01, "high": 0.016}}, "+0.3 points"),
        ({"log_loss_difference_to_psnr": {"mean": 0.001, "low": -0.1, "high": 0.1}}, "above that of PSNR"),
        ({"calibration_error": 0.07}, "those of PSNR by 5.0"),
        ({"difference_to_psnr": None}, "no interval for the difference to PSNR"),
    ],
)
def test_what_is_not_better_than_psnr_is_not_promoted_without_stock(
    of_row: dict[str, Any], words: str
) -> None:
    gain = {"mean": 0.02, "low": 0.004, "high": 0.036}
    row = {"difference_to_stock": None, "difference_to_psnr": gain} | of_row
    version = make_version(1, low=None, of_row=row, stock=NO_STOCK)
    version.evaluation["rows"].append({"key": "psnr", "kind": "baseline", "calibration_error": 0.05})
    outcome = promote_if_better(version=version, rival=None)
    assert outcome.startswith("not promoted")
    assert words in outcome


@pytest.mark.parametrize("name", ENOUGH)
def test_a_number_that_is_not_known_is_not_enough(name: str) -> None:
    outcome = promote_if_better(version=make_version(1, low=0.1, numbers={name: None}), rival=None)
    assert "an unknown number of" in outcome
    assert not MetricVersion.objects.filter(promoted=True).exists()


@pytest.mark.parametrize(("before", "is_promoted"), [(0.0, False), (None, True)])
def test_a_version_in_use_without_error_is_not_one_whose_error_is_unknown(
    before: float | None, is_promoted: bool
) -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    second = make_version(2, low=0.01, of_row={"calibration_error": 0.01}, calibration_before=before)
    assert promote_if_better(version=second, rival=first).startswith("promoted") is is_promoted


def test_what_may_be_behind_psnr_is_promoted_and_psnr_is_part_of_the_sentence() -> None:
    result = {"mean": 0.003, "low": -0.01, "high": 0.016}
    version = make_version(1, low=0.004, of_row={"difference_to_psnr": result})
    outcome = promote_if_better(version=version, rival=None)
    assert outcome.startswith("promoted")
    assert "+0.3 points (−1.0 to +1.6) against PSNR" in outcome


def test_a_run_by_hand_asks() -> None:
    outcome = promote_if_better(version=make_version(1, low=0.004), rival=None, needs_approval=True)
    assert outcome.startswith("better, waiting for manual promotion: +2.0 points")
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_back_to_stock_and_back_again() -> None:
    with pytest.raises(Refused, match="No version is in use"):
        back_to_stock(reason="nothing")
    promote_version(version=make_version(1, low=None), reason="the first")
    with pytest.raises(Refused, match="Give a reason"):
        back_to_stock(reason=" ")
    assert (
        back_to_stock(reason="it failed on faces").promotion_reason == "taken out of use: it failed on faces"
    )
    assert not MetricVersion.objects.filter(promoted=True).exists()
    assert roll_back(reason="mended").promotion_reason == "back from stock LPIPS: mended"


def test_rolling_back_returns_to_the_last_version_before() -> None:
    first, second, third = (make_version(number, low=None) for number in (1, 2, 3))
    for version in (first, second, third):
        promote_version(version=version, reason="in turn")
    assert roll_back(reason="3 failed") == second
    # The one in use before, though it was rolled back from.
    assert roll_back(reason="2 failed too") == third

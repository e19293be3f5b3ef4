"""Which version is in use, and why."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.errors import Refused
from metric.models import MetricVersion

# A test split below these says too little for a promotion that nobody decides.
LEAST_PHOTOGRAPHS, LEAST_PAIRS_TWICE, LEAST_PEOPLE = 8, 20, 3


def promote_version(*, version: MetricVersion, reason: str, by: User | None = None) -> MetricVersion:
    """Makes `version` the one in use. Raises Refused without a reason, or when it is in use already."""
    reason = reason.strip()
    if not reason:
        raise Refused("Give a reason for the promotion: it is stored with the version.")
    with transaction.atomic():
        _one_promotion_at_a_time()
        version = MetricVersion.objects.get(pk=version.pk)
        if version.promoted:
            raise Refused(f"Version {version.number} is already in use.")
        MetricVersion.objects.filter(promoted=True).update(promoted=False)
        version.promoted = True
        version.promoted_at = timezone.now()
        version.promoted_by = by
        version.promotion_reason = reason[:300]
        version.save(update_fields=["promoted", "promoted_at", "promoted_by", "promotion_reason"])
    return version


def _one_promotion_at_a_time() -> None:
    """Holds all versions until the transaction ends, locked in one order by everybody who promotes."""
    list(MetricVersion.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


@transaction.atomic
def roll_back(*, reason: str, by: User | None = None) -> MetricVersion:
    """Puts the version that was in use before back to use. Raises Refused without a reason or such a version."""
    _one_promotion_at_a_time()
    current = MetricVersion.objects.filter(promoted=True).first()
    before = MetricVersion.objects.filter(promoted=False, promoted_at__isnull=False)
    previous = before.order_by("-promoted_at").first()
    if previous is None:
        raise Refused("No version was in use before this one, so there is no earlier version to return to.")
    if not reason.strip():
        raise Refused("Give a reason for the change: it is stored with the version.")
    return promote_version(
        version=previous, reason=f"back from {current or 'stock LPIPS'}: {reason.strip()}", by=by
    )


@transaction.atomic
def back_to_stock(*, reason: str, by: User | None = None) -> MetricVersion:
    """Takes the version in use out of use, for stock LPIPS. Raises Refused without a version or a reason."""
    _one_promotion_at_a_time()
    current = MetricVersion.objects.filter(promoted=True).first()
    if current is None:
        raise Refused("No version is in use; stock LPIPS is used already.")
    if not reason.strip():
        raise Refused("Give a reason for the change: it is stored with the version.")
    current.promoted = False
    current.promotion_reason = f"taken out of use: {reason.strip()}"[:300]
    current.save(update_fields=["promoted", "promotion_reason"])
    return current


@transaction.atomic
def promote_if_better(
    *, version: MetricVersion, rival: MetricVersion | None, needs_approval: bool = False
) -> str:
    """Promotes `version` when the test split is large enough and says that it is better; says what it did.

    Better: the interval of its paired difference in score to what is in use (stock LPIPS, if nothing is) lies above
    zero; neither its log-loss nor its calibration error is above that of what is in use, nor its log-loss above that
    of stock LPIPS; and it is not certainly behind PSNR. `needs_approval`: only say that it would be promoted.
    `rival`: the promoted version that it was evaluated beside. If another one is in use by now, the comparison says
    nothing about that one, and nothing is promoted. A version learned from simulated judgments never takes the place
    of one learned from people, and is nothing that one learned from people must be better than.
    """
    _one_promotion_at_a_time()
    champion = MetricVersion.objects.filter(promoted=True).first()
    if version.simulated and champion is not None and not champion.simulated:
        return "not promoted: it was learned from simulated judgments, the promoted version from people"
    if champion is not None and champion != rival:
        return (
            f"not promoted: version {champion.number} was promoted while this one trained; train again to "
            f"compare with it"
        )
    if obstacle := _too_little(version.evaluation):
        return f"not promoted: {obstacle}"
    if champion is not None and champion.simulated and not version.simulated:
        champion = None
    name, key = (f"version {champion.number}", "promoted") if champion else ("stock LPIPS", "stock")
    new = _row(version.evaluation, "new")
    difference = new[f"difference_to_{key}"]
    if difference is None or difference["low"] is None:
        return f"not promoted: no interval for the difference to {name}; the test split is too small"
    words = f"{_in_words(difference)} against {name}{_psnr_in_words(new)} on the test sources"
    if difference["low"] <= 0:
        return f"not promoted: {words}"
    if obstacle := _worse(version.evaluation, new, has_champion=champion is not None):
        return f"not promoted: {words}, but {obstacle}"
    if needs_approval:
        return f"better, waiting for manual promotion: {words}"
    promote_version(version=version, reason=words)
    return f"promoted: {words}"


def _too_little(evaluation: dict[str, Any]) -> str:
    """Which of the least numbers its test split does not reach, in words; empty where it reaches all."""
    known = {
        "photographs": (evaluation.get("n_photographs"), LEAST_PHOTOGRAPHS),
        "pairs with two votes": (evaluation.get("n_triplets_twice"), LEAST_PAIRS_TWICE),
        "people": (evaluation.get("n_annotators"), LEAST_PEOPLE),
    }
    short = [
        f"{'an unknown number of' if number is None else number} {what}, at least {least} are needed"
        for what, (number, least) in known.items()
        if number is None or number < least
    ]
    return f"the test split has {'; '.join(short)}" if short else ""


def _worse(evaluation: dict[str, Any], new: dict[str, Any], *, has_champion: bool) -> str:
    """In what it is worse than it may be, in words; empty where in nothing."""
    names = {"stock": "stock LPIPS"} | ({"promoted": "the version in use"} if has_champion else {})
    for key, name in names.items():
        loss = new.get(f"log_loss_difference_to_{key}")
        if loss and loss["mean"] is not None and loss["mean"] > 0:
            return f"its log-loss is {loss['mean']:.4f} above that of {name}"
    before = _row(evaluation, "promoted").get("calibration_error") if has_champion else None
    error = new.get("calibration_error")
    if before is not None and error is not None and error > before:
        return (
            f"its predicted shares are off by {100 * error:.1f} points, more than those of the version in use"
        )
    psnr = new.get("difference_to_psnr")
    if psnr and psnr["high"] is not None and psnr["high"] < 0:
        return "PSNR agrees with people significantly better"
    return ""


def _row(evaluation: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((row for row in evaluation["rows"] if row["kind"] == kind), {})


def _in_words(difference: dict[str, Any]) -> str:
    mean, low, high = (f"{100 * difference[name]:+.1f}".replace("-", "−") for name in ("mean", "low", "high"))
    return f"{mean} points ({low} to {high})"


def _psnr_in_words(new: dict[str, Any]) -> str:
    difference = new.get("difference_to_psnr")
    return "" if not difference or difference["low"] is None else f", {_in_words(difference)} against PSNR,"

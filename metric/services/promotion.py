"""Which version is in use, and why."""

from math import log
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.errors import Refused
from metric.core.config import stock_rival
from metric.models import MetricVersion

# A test split below these says too little for a promotion that nobody decides.
LEAST_PHOTOGRAPHS, LEAST_PAIRS_TWICE, LEAST_PEOPLE = 8, 20, 3
MAY_NOT_GO_BACK = "This requires an editor or an owner of the study whose version is, or was, in use."
# What guessing reaches: the share of votes that it agrees with, and its log-loss in nats per vote.
CHANCE_SCORE, CHANCE_LOSS = 0.5, log(2)
# What a version is held against, by the names of its differences.
NAMES = {"promoted": "the version in use", "stock": "stock LPIPS", "psnr": "PSNR"}
# The rule of `promote_if_better` in words, as the page of a version states it.
RULE = (
    f"A version is promoted automatically when its test split has at least {LEAST_PHOTOGRAPHS} photographs, "
    f"{LEAST_PAIRS_TWICE} pairs with two votes and {LEAST_PEOPLE} people, and the interval of its gain in agreement "
    "over the version in use, or over stock LPIPS if none is, lies above zero; and if neither its log-loss nor its "
    "calibration error is above that of the version in use or of stock LPIPS, it is better than chance in agreement "
    "and log-loss, and PSNR does not agree significantly better. If stock LPIPS cannot be computed, PSNR takes its "
    "place. Nothing is promoted if another version was put into "
    "use while this one was trained, and a version learned from simulated judgments never replaces one learned from "
    "people. A run that was started by hand only proposes its version."
)


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


def used_before() -> QuerySet[MetricVersion]:
    """Versions that were in use, the last one first."""
    return MetricVersion.objects.filter(promoted=False, promoted_at__isnull=False).order_by("-promoted_at")


def replaced_by_roll_back() -> QuerySet[MetricVersion]:
    """Of which versions going back decides: the one in use and the one before it."""
    return MetricVersion.objects.filter(Q(promoted=True) | Q(pk__in=used_before().values("pk")[:1]))


@transaction.atomic
def roll_back(*, reason: str, by: User | None = None) -> MetricVersion:
    """Puts the version that was in use before back to use. Raises Refused without a reason or such a version."""
    _one_promotion_at_a_time()
    current = MetricVersion.objects.filter(promoted=True).first()
    previous = used_before().first()
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
    """Promotes `version` when the test split is large enough and shows that it is better; returns what was done.

    Better: the interval of its paired difference in score to what is in use (stock LPIPS, if nothing is) lies above
    zero; neither its log-loss nor its calibration error is above that of what is in use or of stock LPIPS; it is better
    than chance; and PSNR does not agree significantly better. Where stock LPIPS cannot be computed (no weights, or the
    pictures are too small), nothing can be in use, and the first version must be better than PSNR in the same way.
    `needs_approval`: only says that it would be promoted. `rival`: the promoted version that it was evaluated beside.
    If another one is in use by now, the comparison says nothing about that one, and nothing is promoted. A version
    learned from simulated judgments never takes the place of one learned from people, and is nothing that one learned
    from people must be better than.
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
    key = _rival_key(version, has_champion=champion is not None)
    name = f"version {champion.number}" if champion else NAMES[key]
    new = _row(version.evaluation, "new")
    difference = new[f"difference_to_{key}"]
    if difference is None or difference["low"] is None:
        return (
            f"not promoted: no interval for the difference to {name}; {_why_no_interval(version, new, key)}"
        )
    beside = " (stock LPIPS is unavailable)" if key == "psnr" else _psnr_in_words(new)
    words = f"{_in_words(difference)} against {name}{beside} on the test sources"
    if difference["low"] <= 0:
        return f"not promoted: {words}"
    if obstacle := _worse(version, new, key):
        return f"not promoted: {words}, but {obstacle}"
    if needs_approval:
        return f"better, waiting for manual promotion: {words}"
    promote_version(version=version, reason=words)
    return f"promoted: {words}"


def _rival_key(version: MetricVersion, *, has_champion: bool) -> str:
    """What it is held against: the promoted version, stock LPIPS, or PSNR where stock LPIPS cannot be computed."""
    if has_champion:
        return "promoted"
    return "psnr" if _rival_row(version, "stock").get("available") is False else "stock"


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


def _why_no_interval(version: MetricVersion, new: dict[str, Any], key: str) -> str:
    """Why nothing is known of its difference to what it is held against, in words."""
    if not new.get("available", True):
        return f"the version could not be scored ({new['reason']})"
    other = _rival_row(version, key)
    if not other:
        return "the table has no row for it"
    if other.get("reason"):
        return str(other["reason"])
    return "the test split is too small"


def _worse(version: MetricVersion, new: dict[str, Any], held_against: str) -> str:
    """The first criterion beside agreement that it fails, in words; empty where it meets all of them."""
    if obstacle := _no_better_than_chance(new):
        return obstacle
    for key in dict.fromkeys((held_against, "stock")):
        name = NAMES[key]
        loss = new.get(f"log_loss_difference_to_{key}")
        if loss and loss["mean"] is not None and loss["mean"] > 0:
            return f"its log-loss is {loss['mean']:.4f} above that of {name}"
        before, error = (row.get("calibration_error") for row in (_rival_row(version, key), new))
        if before is not None and error is not None and error > before:
            return f"its predicted shares are off by {100 * error:.1f} points, those of {name} by {100 * before:.1f}"
    psnr = new.get("difference_to_psnr")
    if psnr and psnr["high"] is not None and psnr["high"] < 0:
        return "PSNR agrees with people significantly better"
    return ""


def _no_better_than_chance(new: dict[str, Any]) -> str:
    score, loss = new.get("score"), new.get("log_loss")
    if score is not None and score <= CHANCE_SCORE:
        return f"it agrees with {100 * score:.1f} % of votes, chance with {100 * CHANCE_SCORE:.0f} %"
    if loss is not None and loss >= CHANCE_LOSS:
        return f"its log-loss is {loss:.4f}, that of chance {CHANCE_LOSS:.4f}"
    return ""


def _rival_row(version: MetricVersion, key: str) -> dict[str, Any]:
    """The row of the promoted version, of the stock LPIPS that the version is held against, or of PSNR."""
    values = {
        "promoted": ("kind", "promoted"),
        "stock": ("key", stock_rival([version.net])),
        "psnr": ("key", "psnr"),
    }
    name, value = values[key]
    return next((row for row in version.evaluation["rows"] if row.get(name) == value), {})


def _row(evaluation: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((row for row in evaluation["rows"] if row["kind"] == kind), {})


def _in_words(difference: dict[str, Any]) -> str:
    mean, low, high = (f"{100 * difference[name]:+.1f}".replace("-", "−") for name in ("mean", "low", "high"))
    return f"{mean} points ({low} to {high})"


def _psnr_in_words(new: dict[str, Any]) -> str:
    difference = new.get("difference_to_psnr")
    return "" if not difference or difference["low"] is None else f", {_in_words(difference)} against PSNR,"

"""Which version is in use, and why."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.errors import Refused
from metric.models import MetricVersion


def promote_version(*, version: MetricVersion, reason: str, by: User | None = None) -> MetricVersion:
    """Makes `version` the one in use. Raises Refused without a reason, or when it is in use already."""
    reason = reason.strip()
    if not reason:
        raise Refused("Say why this version is promoted: the reason is kept beside it.")
    with transaction.atomic():
        _one_promotion_at_a_time()
        version = MetricVersion.objects.get(pk=version.pk)
        if version.promoted:
            raise Refused(f"Version {version.number} is in use already.")
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
    if current is None or previous is None:
        raise Refused("No version was in use before this one, so there is none to go back to.")
    if not reason.strip():
        raise Refused("Say why you go back: the reason is kept beside the version.")
    return promote_version(
        version=previous, reason=f"back from version {current.number}: {reason.strip()}", by=by
    )


@transaction.atomic
def promote_if_better(*, version: MetricVersion, rival: MetricVersion | None) -> str:
    """Promotes `version` when its paired difference on the test sources has its interval above zero; says what it did.

    `rival`: the promoted version that it was evaluated beside. If another one is in use by now, the comparison says
    nothing about that one, and nothing is promoted. The first version is held against stock LPIPS of the same trunk.
    A version learned from simulated judgments never takes the place of one learned from people.
    """
    _one_promotion_at_a_time()
    champion = MetricVersion.objects.filter(promoted=True).first()
    if version.simulated and champion is not None and not champion.simulated:
        return "not promoted: it was learned from simulated judgments, the promoted version from people"
    if champion is not None and champion != rival:
        return (
            f"not promoted: version {champion.number} came into use while it trained; "
            "train again to hold one against that"
        )
    name, difference = _difference(version, champion)
    if difference is None or difference["low"] is None:
        return f"not promoted: no interval for the difference to {name}; the test split is too small"
    said = f"{difference['mean']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}] against {name}"
    if difference["low"] <= 0:
        return f"not promoted: {said} on the test sources"
    promote_version(version=version, reason=f"{said} on the test sources")
    return f"promoted: {said} on the test sources"


def _difference(version: MetricVersion, champion: MetricVersion | None) -> tuple[str, dict[str, Any] | None]:
    (row,) = [row for row in version.evaluation["rows"] if row["kind"] == "new"]
    if champion is None:
        return f"stock LPIPS {version.net}", row["difference_to_stock"]
    return f"version {champion.number}", row["difference_to_promoted"]

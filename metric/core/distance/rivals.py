"""Metrics of other packages, by name: optional, and each either available or not, with the reason.

A rival takes two pictures, H×W×3 uint8 sRGB, the original first, and gives a number. Those of RIVALS are in
`rival_packages`. Any callable does too, as `module:function`, or by a name under the entry points `closer.metrics`, in
a process of its own; an attribute `higher_is_better` says which way it points (False, a distance, unless it is set).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imaging.pixels import Pixels
from metric.core.config import RIVALS
from metric.core.distance.baselines import Baseline, BaselineUnavailable, Floats
from metric.core.distance.cache import VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.features import Count, Pair
from metric.core.distance.fetch import Say
from metric.core.distance.own_process import OwnProcess, ProcessFailed
from metric.core.distance.rival_packages import PACKAGES, Compare, Rival
from metric.core.distance.served_callable import as_number, one_line
from metric.core.distance.viewing import Viewing
from metric.core.offered import entry_point

# A picture that takes longer is not waited for, and neither is a table that would.
SECONDS_A_PAIR = 120.0
SECONDS_IN_ALL = 3600.0
# What decides a rival's value, besides its package.
CODE = (__name__, "metric.core.distance.rival_packages")


def rival_baseline(key: str, viewing: Viewing | None = None) -> Baseline:
    """A rival of RIVALS as a row of a table. Raises KeyError for another name.

    The label of one that models the viewing condition says which it was.
    """
    rival = PACKAGES[key]
    version = "" if rival.unavailable() else rival.version()
    condition = rival.condition(viewing)
    return _as_baseline(
        key, f"{RIVALS[key]} ({condition})" if condition else RIVALS[key], rival.unavailable,
        lambda: _load(rival, viewing), f"{key} {version} {condition}".rstrip(), higher_is_better=rival.higher_is_better,
    )  # fmt: skip


def open_rival(name: str) -> tuple[str, bool, Compare | OwnProcess]:
    """The label of a rival or a callable, whether a higher value of it is better, and itself, for `one_value`.

    Raises BaselineUnavailable with the reason where it cannot be used here.
    """
    if name in PACKAGES:
        rival = PACKAGES[name]
        return RIVALS[name], rival.higher_is_better, _load(rival, None)
    own = _own_process(name)
    return name, own.higher_is_better, own


def _load(rival: Rival, viewing: Viewing | None) -> Compare:
    """Raises BaselineUnavailable with the reason where it cannot be used here."""
    if reason := rival.unavailable():
        raise BaselineUnavailable(reason)
    try:
        return rival.load_viewed(viewing) if rival.load_viewed and viewing else rival.load()
    except Exception as error:  # whatever a package's import may raise
        raise BaselineUnavailable(f"it cannot be loaded ({one_line(error)})") from error


def callable_baseline(name: str) -> Baseline:
    """A callable as a row: `module:function`, or a name of the entry points. Its values are not kept: it may change.

    Raises BaselineUnavailable for a name that leads to no callable.
    """
    own = _own_process(name)
    return _as_baseline(name, name, lambda: None, lambda: own, "", higher_is_better=own.higher_is_better)


def _own_process(name: str) -> OwnProcess:
    try:
        return OwnProcess(name if ":" in name else entry_point(name).value.partition("[")[0].strip())
    except LookupError as error:
        raise BaselineUnavailable(f"{name} cannot be imported ({one_line(error)})") from error
    except ProcessFailed as error:
        raise BaselineUnavailable(str(error)) from error


def _as_baseline(
    key: str,
    label: str,
    unavailable: Callable[[], str | None],
    load: Callable[[], Compare | OwnProcess],
    version: str,
    *,
    higher_is_better: bool,
) -> Baseline:
    def distances(
        pairs: Sequence[Pair], cache: VectorCache | None, count: Count | None, progress: Say | None
    ) -> Floats:
        compare, deadline = load(), time.monotonic() + SECONDS_IN_ALL
        values = np.empty(len(pairs))
        kept = cache if version else None
        for number, (a, b) in enumerate(pairs):
            entry = content_key("rival", code_key(*CODE), version, a.sha256, b.sha256)
            stored = kept.get(entry) if kept else None
            if stored is None:
                value = one_value(compare, a.read(), b.read())
                if kept:
                    kept.put({entry: np.array([value], dtype=np.float32)})
                if time.monotonic() > deadline and number + 1 < len(pairs):
                    raise BaselineUnavailable(
                        f"it is slow: {number + 1} of {len(pairs)} pairs in {SECONDS_IN_ALL / 60:.0f} minutes"
                    )
            else:
                value = float(stored[0])
            values[number] = np.float32(value)
            if count:
                count(number + 1, len(pairs))
        return -values if higher_is_better else values

    return Baseline(key, label, unavailable, distances)


def one_value(compare: Compare | OwnProcess, reference: Pixels, distorted: Pixels) -> float:
    """What it says of two pictures. Raises BaselineUnavailable where it fails, hangs, or gives no finite number."""
    try:
        if isinstance(compare, OwnProcess):
            return compare.value(reference, distorted, SECONDS_A_PAIR)
        return as_number(_in_a_thread(compare, reference, distorted))
    except (ProcessFailed, ValueError) as error:
        raise BaselineUnavailable(str(error)) from error


def _in_a_thread(compare: Compare, reference: Pixels, distorted: Pixels) -> Any:
    """What a package returns; one that hangs cannot be stopped from outside, only left behind."""
    answer: list[Any] = []
    # It may write into what it is given.
    reference, distorted = reference.copy(), distorted.copy()

    def work() -> None:
        try:
            answer.append(compare(reference, distorted))
        except BaseException as error:  # raised for the caller below
            answer.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS_A_PAIR)
    if not answer:
        raise BaselineUnavailable(f"it took more than {SECONDS_A_PAIR:.0f} s for one pair")
    if isinstance(answer[0], BaseException):
        raise BaselineUnavailable(f"it failed on a picture ({one_line(answer[0])})")
    return answer[0]

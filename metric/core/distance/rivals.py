"""Metrics of other packages, by name: optional, and each either available or not, with the reason.

A rival takes two pictures, H×W×3 uint8 sRGB, the original first, and gives a number. Those of RIVALS are in
`rival_packages`. Any callable does too, as `module:function`, or by a name under the entry points `closer.metrics`; it
says by an attribute `higher_is_better` which way it points (False, a distance, unless it is set).
"""

from __future__ import annotations

import importlib
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
from metric.core.distance.rival_packages import PACKAGES, Compare, Rival
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


def open_rival(name: str) -> tuple[str, bool, Compare]:
    """The label of a rival or a callable, whether a higher value of it is better, and itself, for single pairs.

    Raises BaselineUnavailable with the reason where it cannot be used here.
    """
    if name in PACKAGES:
        rival = PACKAGES[name]
        return RIVALS[name], rival.higher_is_better, _load(rival, None)
    compare = _callable(name)
    return name, _higher_is_better(compare), compare


def _load(rival: Rival, viewing: Viewing | None) -> Compare:
    """Raises BaselineUnavailable with the reason where it cannot be used here."""
    if reason := rival.unavailable():
        raise BaselineUnavailable(reason)
    try:
        return rival.load_viewed(viewing) if rival.load_viewed and viewing else rival.load()
    except Exception as error:  # whatever a package's import may raise
        raise BaselineUnavailable(f"it cannot be loaded ({type(error).__name__}: {error})") from error


def callable_baseline(name: str) -> Baseline:
    """A callable as a row: `module:function`, or a name of the entry points. Its values are not kept: it may change.

    Raises BaselineUnavailable for a name that leads to no callable.
    """
    compare = _callable(name)
    return _as_baseline(
        name, name, lambda: None, lambda: compare, "", higher_is_better=_higher_is_better(compare)
    )


def _higher_is_better(compare: Compare) -> bool:
    return bool(getattr(compare, "higher_is_better", False))


def _callable(name: str) -> Compare:
    try:
        if ":" in name:
            module, _, attribute = name.partition(":")
            loaded = getattr(importlib.import_module(module), attribute)
        else:
            loaded = entry_point(name).load()
    except Exception as error:  # the import of a stranger's module may raise anything
        raise BaselineUnavailable(f"{name} cannot be imported ({type(error).__name__}: {error})") from error
    if not callable(loaded):
        raise BaselineUnavailable(
            f"{name} is not callable: it must take two H×W×3 uint8 arrays and return a number"
        )
    compare: Compare = loaded
    return compare


def _as_baseline(
    key: str,
    label: str,
    unavailable: Callable[[], str | None],
    load: Callable[[], Compare],
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


def one_value(compare: Compare, reference: Pixels, distorted: Pixels) -> float:
    """What it says of two pictures. Raises BaselineUnavailable where it fails, hangs, or gives no finite number."""
    answer: list[Any] = []
    # It may write into what it is given.
    reference, distorted = reference.copy(), distorted.copy()

    def work() -> None:
        try:
            answer.append(compare(reference, distorted))
        except BaseException as error:  # raised for the caller below
            answer.append(error)

    # A thread: a callable that hangs cannot be stopped from outside, only left behind.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS_A_PAIR)
    if not answer:
        raise BaselineUnavailable(f"it took more than {SECONDS_A_PAIR:.0f} s for one pair")
    if isinstance(answer[0], BaseException):
        raise BaselineUnavailable(f"it failed on a picture ({type(answer[0]).__name__}: {answer[0]})")
    try:
        result = np.asarray(answer[0])
    except Exception as error:  # a tensor that records gradients, lists of several lengths
        raise BaselineUnavailable(
            f"it returned no number ({type(error).__name__}: {error}): return a Python float"
        ) from error
    if result.size != 1 or result.dtype.kind not in "fiu":
        raise BaselineUnavailable(f"it returned {result.dtype} of shape {result.shape}, not one number")
    value = float(result.reshape(-1)[0])
    # Values are kept as float32.
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise BaselineUnavailable(f"it returned {value} for a picture")
    return value

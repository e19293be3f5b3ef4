"""Metrics by name, the same names in every table, sweep and command.

A name is one of BASELINES or RIVALS (metric.core.config), the folder of a metric version, a name under the entry points
`closer.metrics`, or `module:function`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metric.core.config import RIVALS, ROWS
from metric.core.distance.base import Metric
from metric.core.distance.baselines import BASELINES, Baseline, BaselineUnavailable, Floats
from metric.core.distance.cache import VectorCache
from metric.core.distance.checkpoint import load
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.columns import distances
from metric.core.distance.features import Count, Pair
from metric.core.distance.fetch import Say
from metric.core.distance.rivals import callable_baseline, rival_baseline
from metric.core.distance.viewing import Viewing
from metric.core.errors import InputError
from metric.core.offered import entry_points


class UnknownMetric(InputError):
    """No metric has this name; the message lists those that are known."""


@dataclass(frozen=True)
class Named:
    """A distance by name; `metric` and `curve` are those of a version's folder, None for all others."""

    baseline: Baseline
    metric: Metric | None = None
    curve: ChoiceCurve | None = None


def named(name: str, viewing: Viewing | None = None) -> Named:
    """The metric called `name`. Whether it can be used here, it says itself; `viewing` is for those that model it.

    Raises UnknownMetric, CheckpointError for a folder that is no whole version, and BaselineUnavailable for a callable
    that cannot be imported.
    """
    if name in BASELINES:
        return Named(BASELINES[name])
    if name in RIVALS:
        return Named(rival_baseline(name, viewing))
    if Path(name).is_dir():
        return _version(Path(name))
    if ":" in name or name in entry_points():
        return Named(callable_baseline(name))
    raise _unknown(name)


def _unknown(name: str) -> UnknownMetric:
    offered = "".join(f", {point}" for point in entry_points())
    return UnknownMetric(
        f"There is no metric named {name!r}. Known: {', '.join(ROWS)}{offered}; or the folder of a "
        f"version, or a callable "
        "as module:function."
    )


def require_known(names: Sequence[str]) -> None:
    """Raises UnknownMetric for names that no metric has, and for one that is there twice.

    Versions are not loaded and callables not imported: their rows show whether these work.
    """
    if twice := {name for name in names if names.count(name) > 1}:
        raise UnknownMetric(f"A metric is named twice: {', '.join(sorted(twice))}.")
    for name in names:
        if not is_known(name):
            raise _unknown(name)


def is_known(name: str) -> bool:
    """Whether `named` may know it; nothing is loaded or imported."""
    return name in ROWS or ":" in name or Path(name).is_dir() or name in entry_points()


def _version(folder: Path) -> Named:
    metric = load(folder)

    def of(pairs: list[Pair], cache: VectorCache | None, count: Count | None, progress: Say | None) -> Floats:
        try:
            return distances(metric, pairs, cache, count)
        except InputError as error:
            raise BaselineUnavailable(str(error)) from error

    label = f"Closer ({folder.resolve().name})"
    return Named(Baseline(str(folder), label, lambda: None, of), metric, metric.curve)  # type: ignore[arg-type]

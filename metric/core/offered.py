"""Metrics that installed packages offer under the entry points `closer.metrics`. Needs no torch."""

from __future__ import annotations

from importlib import metadata

ENTRY_POINTS = "closer.metrics"


def entry_points() -> tuple[str, ...]:
    """Their names, each once."""
    return tuple(sorted({point.name for point in metadata.entry_points(group=ENTRY_POINTS)}))


def entry_point(name: str) -> metadata.EntryPoint:
    """The one called `name`. Raises LookupError where none, or more than one package, offers it."""
    points = tuple(metadata.entry_points(group=ENTRY_POINTS, name=name))
    if len(points) != 1:
        raise LookupError(f"{len(points)} installed packages offer a metric {name!r}, and not one")
    return points[0]

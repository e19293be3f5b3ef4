"""Metric versions of a site by name: what `tune` is in an operating point where no folder can be.

`tune=perceptual` means the version that the site has promoted. Versions change and files have to be made again, so
whoever freezes a study calls `pinned`: the name then holds the version's hash, `metric-3fa9c21b0d4e`, or `stock` where
none is promoted. A version that learned from simulated judgments says so: `simulated-metric-3fa9c21b0d4e`. Outside a
site, where nobody pins, `perceptual` is stock LPIPS.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Protocol

from codecs_zoo.contract import CodecError, Setting
from codecs_zoo.variants import split_name
from metric.core.config import NETS

DIGITS: Final = 12
"""Of the version's sha256 that stand in its name."""
NAME: Final = re.compile(rf"(simulated-)?metric-([0-9a-f]{{{DIGITS}}})")
PERCEPTUAL: Final = "perceptual"
STOCK: Final = "stock"
FIGURES_OF_TERMS: Final = {"ms-ssim": "ms-ssim", "ssim2": "ssimulacra2"}
"""The quality figure that a term of a metric is, or is modelled on."""


class MetricSite(Protocol):
    """Where versions are kept."""

    def promoted(self) -> str | None:
        """The name of the promoted version; None where there is none."""

    def folder(self, digits: str) -> Path | None:
        """The folder, on this machine, of the version whose sha256 begins with `digits`; None for no such version."""


_sites: list[MetricSite] = []


def add_site(site: MetricSite) -> None:
    """Ask `site` for versions by their names."""
    if site not in _sites:
        _sites.append(site)


def version_name(sha256: str, *, simulated: bool) -> str:
    """What `tune` is called for the version with this hash."""
    return f"{'simulated-' if simulated else ''}metric-{sha256[:DIGITS]}"


def is_name(value: Setting) -> bool:
    """Whether `value` names a metric version of some site."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def pinned(codec: str) -> str:
    """The codec's name with `tune=perceptual` replaced by the promoted version's name, or by `stock`."""
    own, options = split_name(codec)
    if options.get("tune") != PERCEPTUAL:
        return codec
    promoted = next((name for site in _sites if (name := site.promoted()) is not None), STOCK)
    return f"{own}@" + ",".join(f"{name}={value}" for name, value in {**options, "tune": promoted}.items())


def figures_inside(tune: str) -> tuple[str, ...]:
    """Names of the figures that the trunks and terms of a version's folder are parts of; none for another `tune`.

    The squared error, which nearly every codec minimises, is not among them.
    """
    try:
        settings = json.loads(Path(tune, "settings.json").read_text(encoding="utf-8"))
        nets, terms = settings.get("nets") or [settings.get("net")], settings.get("terms", [])
        return (
            *(f"lpips-{net}" for net in nets if net in NETS),
            *(FIGURES_OF_TERMS[term] for term in terms if term in FIGURES_OF_TERMS),
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return ()  # nothing can be tuned on what cannot be read


def metric_folder(name: str) -> Path:
    """The folder of a version on this machine. Raises CodecError where no site has it."""
    match = NAME.fullmatch(name)
    digits = match[2] if match else ""
    for site in _sites:
        if digits and (folder := site.folder(digits)) is not None:
            return folder
    raise CodecError(
        f"The metric version {name} is not on this site. Use tune=perceptual, the version in use here, or give "
        "the folder of one."
    )

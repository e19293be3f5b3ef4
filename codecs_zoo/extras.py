"""Codecs whose library comes with an extra: `pip install '.[NAME]'`."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from codecs_zoo.contract import Availability


def extra_availability(extra: str, *modules: str) -> Availability:
    """Whether all `modules` of the extra are installed. Nothing is imported."""
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return Availability(True)
    what = f"package {missing[0]} is" if len(missing) == 1 else f"packages {' and '.join(missing)} are"
    return Availability(False, f"The optional {what} not installed.", f"Run: pip install '.[{extra}]'")


def package_versions(*packages: str) -> dict[str, str]:
    """Installed version of each package."""
    return {package: version(package) for package in packages}

"""docs/metric.md lists every setting of a training run as it is declared: default, limits and meaning."""

import pytest

from metric.core.config import TrainConfig, settings
from tests.docs.pages import DOCS


def row(name: str) -> str:
    """The setting's line of the table."""
    field, setting = settings()[name]
    value = TrainConfig().as_json()[name]
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower()
    limits = ", ".join(setting.choices)
    if setting.least is not None:
        limits = f"{setting.least:g} to {setting.most:,}"
    elif isinstance(field.default, bool):
        limits = "true, false" + ", null" * (name == "layer_scales")
    return f"| `{name}` | {words or 'none'} | {limits} | {setting.help} |"


@pytest.mark.parametrize("name", list(settings()))
def test_a_setting_is_listed_as_it_is_declared(name: str) -> None:
    assert row(name) in (DOCS / "metric.md").read_text(encoding="utf-8").splitlines()

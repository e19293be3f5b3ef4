"""docs/metric.md lists the modules of metric.core, and no others."""

import re

from tests.docs.pages import DOCS, ROOT, sections


def test_every_module_is_listed() -> None:
    rows = re.findall(
        r"^\| (`.*?) \|", sections(DOCS / "metric.md", "## ")["The modules"], flags=re.MULTILINE
    )
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    modules = {path.stem for path in (ROOT / "metric" / "core").rglob("*.py")} - {"__init__"}
    assert listed == modules

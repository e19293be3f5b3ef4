"""The report of a version as one self-contained page: what was judged, by whom, and how well the metric agrees."""

from pathlib import Path

from django.template.loader import render_to_string

from annotation.models import Study
from imaging.files import write_atomic
from metric.models import MetricVersion


def write_report(*, study: Study, version: MetricVersion, path: Path) -> None:
    """Writes the page to `path`, whole or not at all."""
    page = render_to_string("metric/report.html", {"study": study, "version": version})
    write_atomic(path, page.encode())

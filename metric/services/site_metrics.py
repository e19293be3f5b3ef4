"""This site's metric versions, as codecs that search ask for them (`codecs_zoo.site_metrics`)."""

from pathlib import Path

from codecs_zoo.site_metrics import version_name
from metric.models import MetricVersion
from metric.services.versions import version_folder


class DatabaseSite:
    """Versions are rows, their archives lie in storage: every worker can have them."""

    def promoted(self) -> str | None:
        """The name of the version in use; None where stock LPIPS is."""
        version = MetricVersion.objects.filter(promoted=True).first()
        return version_name(version.sha256, simulated=version.simulated) if version else None

    def folder(self, digits: str) -> Path | None:
        """The folder of the version whose hash begins with `digits`, on this machine; None for no such version."""
        version = MetricVersion.objects.filter(sha256__startswith=digits).first()
        return version_folder(version=version) if version else None

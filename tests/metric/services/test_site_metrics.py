"""A codec that searches by the promoted version, on a worker that fetches the version from storage."""

import shutil

import numpy as np
import pytest
from django.conf import settings

from annotation.models import Reconstruction, Study
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.learned import _search
from codecs_zoo.learned.networks.objective import TUNED_TRUNKS, metric_for
from codecs_zoo.site_metrics import metric_folder, pinned, version_name
from metric.models import MetricVersion
from metric.services.promotion import back_to_stock, promote_version
from metric.services.site_metrics import DatabaseSite
from tests.kit.factories import make_source, make_study
from tests.metric.core.conftest import trunk_or_skip
from tests.metric.versions import make_version

pytestmark = pytest.mark.django_db
PERCEPTUAL = "scale-hyperprior@effort=1,tune=perceptual"


def test_the_version_in_use_is_named_by_its_hash_and_marked_when_simulated() -> None:
    assert DatabaseSite().promoted() is None and pinned(PERCEPTUAL).endswith("tune=stock")
    version = make_version()
    promote_version(version=version, reason="a test")
    simulated = "simulated-" if version.simulated else ""
    assert DatabaseSite().promoted() == f"{simulated}metric-{version.sha256[:12]}"
    assert version_name("ab" * 32, simulated=False) == "metric-" + "ab" * 6
    back_to_stock(reason="a test")
    assert pinned(PERCEPTUAL).endswith("tune=stock")
    assert pinned("jpeg") == "jpeg" and pinned("avif@tune=ssim") == "avif@tune=ssim"


def test_a_version_that_no_site_has_is_named() -> None:
    with pytest.raises(CodecError, match="metric-ffffffffffff is not on this site"):
        metric_folder("metric-" + "f" * 12)


def test_a_worker_without_the_folder_encodes_with_the_version_and_the_row_says_which(
    version: MetricVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_search.ITERATIONS, 1, 2)  # type: ignore[index]
    promote_version(version=version, reason="a test")
    study = make_study(codecs=["jpeg", PERCEPTUAL], target_bpps=[1.0], state=Study.State.DRAFT)
    make_source(study, width=160, height=128)
    open_study(study=study)
    shutil.rmtree(settings.VAR_DIR / "metric" / "versions", ignore_errors=True)
    row = Reconstruction.objects.get(method__contains="tune=")
    name = version_name(version.sha256, simulated=version.simulated)
    assert row.method == f"scale-hyperprior@effort=1,tune={name}"
    assert encode_reconstruction(pk=row.pk) == "done", Reconstruction.objects.get(pk=row.pk).error
    row.refresh_from_db()
    assert row.operating_point["tune"] == name
    assert registry.get(row.method).tuned_on(row.operating_point) == (name,)
    assert (settings.VAR_DIR / "metric" / "versions" / str(version.number) / "manifest.json").exists()


def test_it_is_the_version_that_is_looked_through(version: MetricVersion) -> None:
    import torch

    for trunk in TUNED_TRUNKS:
        trunk_or_skip(trunk)
    result = metric_for(version_name(version.sha256, simulated=version.simulated))
    stock = metric_for("stock")
    assert result is not None and stock is not None
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.uniform(-1, 1, (1, 3, 80, 80))).float() for _ in range(2))
    assert float(result(a, b)) != pytest.approx(float(stock(a, b)), rel=1e-3)

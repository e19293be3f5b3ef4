"""The default install serves, works and judges without a package that only an extra, or only a developer, installs."""

import os
import subprocess
import sys

MISSING = (
    *(
        "psycopg",
        "storages",
        "boto3",
        "sentry_sdk",
        "pyvips",
        "av",
        "imageio_ffmpeg",
        "pyjpegli",
        "ssimulacra2",
    ),
    *(
        "piq",
        "cvvdp",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "datasets",
        "mlcroissant",
        "babel",
        "pytest",
        "playwright",
    ),
    *("hypothesis", "statsmodels", "choix", "torchmetrics", "moto", "schemathesis"),
)
CODE = f"""
import sys
for name in {MISSING!r}:
    sys.modules[name] = None
import config.wsgi
from django.core.management import call_command
from django.urls import get_resolver
from config import celery
from config.run import broker, demo, supervisor, web
import annotation.tasks, metric.tasks, codecs_zoo.__main__, metric.__main__, psychometrics.__main__
get_resolver().url_patterns
web.limit_database()
call_command("check")
"""


def test_all_that_the_embedded_default_runs_is_importable() -> None:
    environment = {**os.environ, "SECRET_KEY": "a" * 60}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stderr[-3000:]

"""What a deployment would be warned of: nothing; and what the OpenAPI document says of null is true."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.test import Client

ROOT = Path(__file__).parents[2]
KEY = "".join(chr(number) for number in range(48, 123) if chr(number).isalnum())


def manage(*arguments: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    # What tests in a browser set for themselves, in this process, is nothing of a deployment's.
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    environment = {**inherited, "VAR_DIR": str(folder), "SECRET_KEY": KEY, **env}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_check_deploy_is_clean(tmp_path: Path) -> None:
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", folder=tmp_path, DEBUG="false", HTTPS="true"
    )
    assert done.returncode == 0, done.stderr


def test_the_openapi_document_says_where_null_comes(client: Client, db: None) -> None:
    schema: dict[str, Any] = client.get("/api/v1/schema/?format=json").json()
    version = schema["components"]["schemas"]["TrainingRun"]["properties"]["version"]
    assert version["nullable"] is True


def test_sentry_without_its_extra_or_its_address_says_so(tmp_path: Path) -> None:
    done = manage("check", folder=tmp_path, SENTRY_DSN="nonsense")
    assert done.returncode != 0
    assert "SENTRY_DSN is not a valid Sentry DSN" in done.stderr


def test_sentry_is_set_up_without_a_warning(tmp_path: Path) -> None:
    done = manage("check", folder=tmp_path, SENTRY_DSN="http://key@127.0.0.1:9/1", PYTHONWARNINGS="default")
    assert done.returncode == 0, done.stderr
    assert "sentry" not in done.stderr

"""The examples of docs/api.md run as they stand, in their order, against a real server."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from annotation.models import Snapshot
from annotation.services.sessions import skip_assignment
from annotation.services.snapshots import build_snapshot
from metric.models import MetricVersion, TrainingRun
from tests.docs.pages import DOCS, sections
from tests.kit.factories import (
    SPLITS_OF_FOUR,
    make_assignment,
    make_judged_study,
    make_session,
    make_source_in,
    make_triplet,
    make_user,
)
from tests.kit.services import missing

SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def build(output: dict[str, Any]) -> dict[str, str]:
    """What the worker does meanwhile."""
    assert build_snapshot(pk=output["id"]) == "done", Snapshot.objects.get(pk=output["id"]).error
    return {"SNAPSHOT": str(output["id"])}


def keep_version(output: dict[str, Any]) -> dict[str, str]:
    """What training would have left, without its files."""
    run = TrainingRun.objects.get(pk=output["id"])
    words = {"net": "alex", "kind": "heads", "archive": "none.zip", "sha256": "0" * 64}
    MetricVersion.objects.create(number=1, run=run, simulated=True, manifest={}, evaluation={}, **words)
    return {"RUN": str(run.pk), "VERSION": "1"}


def withdraw(output: dict[str, Any]) -> dict[str, str]:
    """The version has no files to measure with."""
    assert output["promoted"]
    MetricVersion.objects.update(promoted=False)
    return {}


# What the following examples need of an answer: the variables that the page names.
TAKEN: dict[str, Callable[[dict[str, Any]], dict[str, str]]] = {
    "`POST /api/v1/sessions/`": lambda response: {"SESSION": response["key"]},
    "`POST /api/v1/sessions/{key}/next/`": lambda response: {"PAIR": response["assignment"]["id"]},
    "`POST /api/v1/token/`": lambda response: {"TOKEN": response["token"]},
    "`POST /api/v1/studies/{slug}/copy/`": lambda response: {"COPY": response["slug"]},
    "`POST /api/v1/studies/{slug}/results-links/`": lambda response: {"LINK": str(response["id"])},
    "`POST /api/v1/studies/`": lambda response: {"NEW": response["slug"]},
    "`POST /api/v1/snapshots/`": build,
    "`POST /api/v1/training-runs/`": keep_version,
    "`POST /api/v1/metric-versions/back/`": withdraw,
    "`POST /api/v1/codec-trainings/`": lambda response: {"CODEC_TRAINING": str(response["id"])},
}


@pytest.fixture
def variables(live_server: LiveServer) -> dict[str, str]:
    """A demo study with a pair left to judge and one that was flagged, and its researcher."""
    study = make_judged_study(people=0, programs=8, slug="demo")
    make_triplet(study, source=make_source_in(study, SPLITS_OF_FOUR[0]))
    session = make_session(study)
    skip_assignment(session=session, assignment_id=make_assignment(session).pk, cause="flagged")
    make_user("researcher", owner=study)
    return {
        "API": f"{live_server.url}/api/v1",
        "JSON": "Content-Type: application/json",
        "STUDY": study.key,
        "PASSWORD": "not a common one",
    }


@pytest.mark.slow
def test_every_example_answers_with_a_2xx(variables: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl", "on Debian: apt-get install curl")
    for title, text in sections(DOCS / "api.md", "### ").items():
        for example in SHELL.findall(text):
            ran = subprocess.run(
                ["bash", "-eu", "-c", example],
                env={"PATH": os.environ["PATH"], **variables},
                cwd=tmp_path,
                capture_output=True,
                text=True,
            )
            assert ran.returncode == 0, f"{title}: {ran.stdout}{ran.stderr}"
            if title in TAKEN:
                variables |= TAKEN[title](json.loads(ran.stdout))

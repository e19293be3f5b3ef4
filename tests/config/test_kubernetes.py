"""The Kubernetes manifests are valid, and say the same as docker/compose.yaml and docs/running.md."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "kubernetes"
VERSION = "1.31"

Manifest = dict[str, Any]


def rendered(folder: Path) -> list[Manifest]:
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([str(kubectl), "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return rendered(FOLDER)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests
        if "template" in each.get("spec", {})
    }


def test_each_manifest_is_valid(manifests: list[Manifest]) -> None:
    assert len(manifests) >= 10
    for manifest in manifests:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_manifest_with_a_wrong_field_is_not(manifests: list[Manifest]) -> None:
    wrong = manifests[-1] | {"sepc": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_queue_has_a_worker(manifests: list[Manifest]) -> None:
    commands = [pod["containers"][0].get("command", []) for pod in pods(manifests).values()]
    queues = {command[command.index("-Q") + 1] for command in commands if "-Q" in command}
    assert queues == {"default", "encode", "encode-slow", "train", "train-gpu"}


def test_what_needs_no_torch_runs_in_the_image_without_it(manifests: list[Manifest]) -> None:
    images = {name: pod["containers"][0]["image"].rpartition("/")[2] for name, pod in pods(manifests).items()}
    light = {name for name, image in images.items() if image.startswith("closer-web:")}
    assert light == {"closer-web", "closer-beat", "closer-prepare"}


def test_no_pod_runs_as_root_or_writes_to_its_image(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert pod["containers"][0]["resources"]["limits"]["memory"], name


def test_web_is_asked_by_the_probes_and_replaced_without_a_gap(manifests: list[Manifest]) -> None:
    (web,) = [
        each for each in manifests if (each["kind"], each["metadata"]["name"]) == ("Deployment", "closer-web")
    ]
    container = web["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_variables_are_documented(manifests: list[Manifest]) -> None:
    (config,) = [each["data"] for each in manifests if each["kind"] == "ConfigMap"]
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "running.md").read_text(), re.MULTILINE)
    assert set(config) <= set(documented)
    assert not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"} & set(config)

"""The manifests for Kubernetes: by its own schemas, and by the code that they run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config.roles import blanks
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.provider import registry
from support.cli_shell import Shell
from workers.commands import stop_times
from workers.gateway.server import FINISH_WITHIN

KUBERNETES = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
BASE, EXAMPLE, MIGRATE = (KUBERNETES / name for name in ("base", "example", "migrate"))
VERSIONS = ["1.27", "1.32"]
"""Of Kubernetes: an old one that is still met, and a new one."""
PARTS = {
    "worker": {Part.DIAL, Part.CALL_TASK, Part.WEBHOOKS},
    "beat": {Part.BEAT},
    "gateway": {Part.GATEWAY},
    "flower": {Part.FLOWER},
}
Manifest = dict[str, Any]


def manifests(*folders: Path) -> list[Manifest]:
    """The manifests of folders, as they stand in their files."""
    files = [file for folder in folders for file in sorted(folder.glob("*.yaml"))]
    documents = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    return [each for each in documents if each and _is_manifest(each)]


def _is_manifest(document: Manifest) -> bool:
    return "apiVersion" in document and "kustomize" not in document["apiVersion"]


ALL = manifests(BASE, EXAMPLE, MIGRATE, KUBERNETES / "autoscaling")
DEPLOYMENTS = {
    each["metadata"]["name"].removeprefix("voice-dispatcher-"): each
    for each in ALL
    if each["kind"] == "Deployment"
}
JOB = next(each for each in ALL if each["kind"] == "Job")


def name(manifest: Manifest) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def pod(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found


def container(manifest: Manifest) -> Manifest:
    (found,) = pod(manifest)["containers"]
    return dict(found)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", ALL, ids=name)
def test_a_manifest_is_as_kubernetes_has_it(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_what_kubernetes_does_not_know_would_be_noticed() -> None:
    wrong = {**DEPLOYMENTS["beat"], "spec": {**DEPLOYMENTS["beat"]["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_role_has_a_deployment() -> None:
    assert set(DEPLOYMENTS) == set(PARTS)


@pytest.mark.parametrize("manifest", [*DEPLOYMENTS.values(), JOB], ids=name)
def test_a_pod_can_do_little_harm(manifest: Manifest) -> None:
    spec, own = pod(manifest), container(manifest)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert own["resources"]["requests"].keys() == {"cpu", "memory"}
    assert own["resources"]["limits"].keys() == {"memory"}  # one of the processor makes calls late
    assert own["workingDir"] in [mount["mountPath"] for mount in own["volumeMounts"]]


@pytest.mark.parametrize("manifest", [*DEPLOYMENTS.values(), JOB], ids=name)
def test_a_command_that_a_container_runs_exists(manifest: Manifest, tmp_path: Path) -> None:
    ran = Shell(tmp_path)(*container(manifest)["args"], "--help")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_probes_ask_the_processes_of_the_role(role: str, tmp_path: Path) -> None:
    own = container(DEPLOYMENTS[role])
    for kind, more in (("startup", []), ("liveness", []), ("readiness", ["--ready"])):
        program, *arguments = own[f"{kind}Probe"]["exec"]["command"]
        assert program == "voice-dispatcher"
        assert arguments == ["health", *(part_name(each) for each in parts(role)), *more]
        ran = Shell(tmp_path)(*arguments, "--folder", str(tmp_path / "none"))
        assert ran.code == 1
        assert "runs here" in ran.complaint


def parts(role: str) -> list[Part]:
    order = list(Part)
    return sorted(PARTS[role], key=order.index)


def part_name(part: Part) -> str:
    return "worker" if part is Part.DIAL else str(part)


@pytest.mark.parametrize("role", ["gateway", "flower"])
def test_http_probes_ask_what_needs_neither_redis_nor_a_key(role: str) -> None:
    own = container(DEPLOYMENTS[role])
    paths = {own[each]["httpGet"]["path"] for each in own if each.endswith("Probe")}
    assert paths == ({"/healthz"} if role == "gateway" else {"/healthcheck"})


def test_a_pod_has_as_long_to_end_as_its_processes_take() -> None:
    grace = {role: pod(each)["terminationGracePeriodSeconds"] for role, each in DEPLOYMENTS.items()}
    assert grace["worker"] > sum(stop_times(Settings.load()).values())
    waits = int(container(DEPLOYMENTS["gateway"])["lifecycle"]["preStop"]["exec"]["command"][1])
    assert grace["gateway"] > FINISH_WITHIN + waits
    assert min(grace.values()) > 10


@pytest.mark.parametrize("manifest", [*DEPLOYMENTS.values(), JOB], ids=name)
def test_the_policies_let_every_pod_reach_redis(manifest: Manifest) -> None:
    part = manifest["metadata"]["labels"]["app.kubernetes.io/component"]
    ports = {
        port["port"]
        for each in ALL
        if each["kind"] == "NetworkPolicy"
        and each["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component") == part
        for rule in each["spec"]["egress"]
        for port in rule["ports"]
    }
    assert {6379, 26379} <= ports


def test_no_role_is_without_a_process_in_a_rolling_upgrade() -> None:
    for role in ("worker", "beat", "gateway"):
        rolling = DEPLOYMENTS[role]["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxSurge": 1, "maxUnavailable": 0}
    assert DEPLOYMENTS["beat"]["spec"]["replicas"] == 1


def variables(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines if line)


@pytest.mark.parametrize("role", PARTS)
def test_the_example_gives_each_role_its_own_secrets_and_settings_that_there_are(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = variables(EXAMPLE / "secrets" / f"{role}.env")
    shared = variables(EXAMPLE / "settings.env")
    prefix = Settings.model_config["env_prefix"]
    known = {f"{prefix}{each.upper()}" for each in Settings.model_fields}
    assert given.keys() | shared.keys() <= known | set(registry.registration().variables)
    assert given.keys() & blanks(PARTS[role]) == set()
    assert shared.keys() & blanks(set().union(*PARTS.values()) - {Part.DIAL}) == set()
    for variable, value in (given | shared).items():
        monkeypatch.setenv(variable, value)
    settings = Settings.load()
    settings.check_together()
    settings.require_bounds()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("folder", [EXAMPLE, MIGRATE], ids=lambda folder: folder.name)
def test_kustomize_builds_it(folder: Path) -> None:
    """It asks no cluster. Names that get a hash are changed wherever they are used."""
    argv = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = [each for each in yaml.safe_load_all(done.stdout) if each]
    for manifest in built:
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
    here = {(each["kind"], each["metadata"]["name"]) for each in built}
    for each in built:
        if each["kind"] in {"Deployment", "Job"}:
            assert container(each)["image"].startswith("registry.example.com/")
        if each["kind"] == "Deployment":
            named = [next(iter(source.items())) for source in container(each)["envFrom"]]
            kinds = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
            assert {(kinds[kind], ref["name"]) for kind, ref in named} <= here
    policies = [each for each in built if each["kind"] == "NetworkPolicy"]
    assert all(each["spec"]["podSelector"]["matchLabels"] for each in policies)

"""The container files say what is true of the code beside them."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from config.roles import blanks
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.provider import registry
from dispatcher.values.durations import seconds
from support.cli_shell import Shell
from workers.commands import stop_times
from workers.devstack.redis_server import find_server
from workers.gateway.server import FINISH_WITHIN

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_SCHEMA = json.loads(
    (files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text()
)
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENV_EXAMPLE = (ROOT / ".env.example").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
PROFILES = {"redis", "valkey-ha", "rabbitmq"}
OF_COMPOSE = {"COMPOSE_PROFILES", "RABBITMQ_PASSWORD"}
"""Variables of the compose file alone."""
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)


def instructions(keyword: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile, in its order."""
    return re.findall(rf"^{keyword} (.+)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    """What the image takes from this checkout."""
    own = [line.split() for line in instructions("COPY") if not line.startswith("--from=")]
    return [source for words in own for source in words[:-1]]


def commands() -> set[str]:
    """Every command of `voice-dispatcher` that a container runs."""
    starts = [json.loads(instructions("CMD")[-1])] + [SERVICES[name]["command"] for name in OURS]
    return {words[0] for words in starts}


def known_variables() -> set[str]:
    prefix = Settings.model_config["env_prefix"]
    ours = {f"{prefix}{name.upper()}" for name in Settings.model_fields}
    return ours | set(registry.registration().variables)


def examples() -> dict[str, str]:
    """What `.env.example` sets, or shows behind a #."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_that_a_container_runs_exists(command: str, tmp_path: Path) -> None:
    ran = Shell(tmp_path)(command, "--help")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("name", OURS)
def test_a_health_check_asks_the_containers_own_processes(name: str, tmp_path: Path) -> None:
    """Not Redis, and not the provider: where these are away, a container is not unwell."""
    kind, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "voice-dispatcher")
    own = ["worker" if part is Part.DIAL else str(part) for part in Part if part in ROLES[name]]
    assert arguments == ["health", *own]
    ran = Shell(tmp_path)(*arguments, "--folder", str(tmp_path / "none"))
    assert ran.code == 1
    assert "runs here" in ran.complaint


def test_the_image_starts_the_console_script() -> None:
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["voice-dispatcher"]


def test_the_image_runs_unprivileged_and_stops_on_the_signal_that_celery_knows() -> None:
    assert instructions("USER")[-1] == "10001:10001"  # as Kubernetes wants it: by number
    assert DOCKERFILE.rindex("USER ") > DOCKERFILE.rindex("RUN ")
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_the_image_installs_what_is_pinned() -> None:
    run = DOCKERFILE.replace("\\\n", " ")
    pinned, own = [" ".join(each.split()) for each in run.split("pip install")[1:]]
    assert "--require-hashes -r requirements/server.txt" in pinned
    assert "--no-deps --no-build-isolation -e ." in own


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert {"dispatcher", "config", "workers"} <= set(copied())
    for source in copied():
        assert (ROOT / source).exists()
        assert source.partition("/")[0] in allowed


def test_secrets_stay_out_of_the_image_and_of_version_control() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(rule for rule in rules if rule and not rule.startswith("#")) == "*"
    assert "!.env" not in rules
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_restarted_and_stopped_in_order(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_as_long_to_end_as_its_processes_take(name: str) -> None:
    needed = {"worker": sum(stop_times(Settings.load()).values()), "gateway": FINISH_WITHIN}
    assert seconds(SERVICES[name]["stop_grace_period"]) > needed.get(name, 10)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits(name: str) -> None:
    """But for the records: one that is killed for its memory takes all with it."""
    service = SERVICES[name]
    records = "maxmemory" in str(service.get("command"))
    assert service["pids_limit"] > 0
    assert (service["mem_limit"] == 0) is records


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little_harm(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert name in OURS or service["user"] not in {"root", "0"}


@pytest.mark.parametrize("name", OURS)
def test_a_process_waits_for_what_stands_behind_it_and_is_there(name: str) -> None:
    """A profile that is not chosen has no service to wait for."""
    waits = SERVICES[name]["depends_on"]
    assert {SERVICES[each]["profiles"][0] for each in waits} == PROFILES
    assert all(
        each == {"condition": "service_healthy", "required": False} for each in waits.values()
    )
    url = SERVICES[name]["environment"]["DISPATCHER_REDIS_URL"]
    assert url == "${DISPATCHER_REDIS_URL:-redis://redis:6379/0}"


def test_the_example_chooses_a_profile_that_there_is() -> None:
    assert examples()["COMPOSE_PROFILES"] == "redis"
    assert {SERVICES["redis"]["profiles"][0]} < PROFILES
    assert all("profiles" not in SERVICES[name] for name in OURS)
    places = examples()["DISPATCHER_REDIS_URL"]
    assert all(f"{name}:26379" in places for name in SERVICES if name.startswith("sentinel"))


def test_the_file_is_as_compose_has_it() -> None:
    """By the specification's own schema."""
    jsonschema.validate(yaml.safe_load(unset(COMPOSE)), COMPOSE_SCHEMA)


ROLES = {
    "worker": {Part.DIAL, Part.CALL_TASK, Part.WEBHOOKS},
    "beat": {Part.BEAT},
    "gateway": {Part.GATEWAY},
    "flower": {Part.FLOWER},
}


@pytest.mark.parametrize("name", OURS)
def test_a_container_is_given_no_secret_of_another_role(name: str) -> None:
    """All of them read the same .env."""
    given = SERVICES[name]["environment"]
    assert {each for each, value in given.items() if value == ""} == blanks(ROLES[name])


def test_only_this_machine_reaches_a_published_port() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_flower_does_not_start_without_a_password() -> None:
    assert SERVICES["flower"]["environment"]["DISPATCHER_FLOWER_AUTH"].startswith(
        "${DISPATCHER_FLOWER_AUTH:?"
    )


def test_redis_keeps_its_data_on_a_volume_that_is_declared() -> None:
    volumes = yaml.safe_load(COMPOSE)["volumes"]
    mounts = [v.split(":") for s in SERVICES.values() for v in s.get("volumes", [])]
    mounted = {name: place for name, place, *_ in mounts if not name.startswith(".")}
    assert mounted["redis-data"] == "/data"
    assert set(mounted) == set(volumes)


def test_beat_sees_the_chains_file_change_and_cannot_change_it() -> None:
    """A folder: a mounted file stays the old one where an editor puts a new one in its place."""
    assert SERVICES["beat"]["volumes"] == ["./chains:/chains:ro"]


def test_every_variable_is_a_setting() -> None:
    named = {name for service in OURS for name in SERVICES[service].get("environment", {})}
    named |= set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) | set(examples())
    assert "DISPATCHER_REDIS_URL" in named
    assert named - known_variables() == OF_COMPOSE


def test_every_value_of_the_example_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in examples().items():
        monkeypatch.setenv(name, value)
    Settings.load(_env_file=None)


def unset(text: str) -> str:
    """Return what compose makes of `${NAME:-default}` where nobody has set the name."""
    return re.sub(r"\$\{\w+:-(\S*?)\}", r"\1", text)


@pytest.fixture
def composed_redis() -> Iterator[Redis]:
    """A Redis server run by the command of the compose file, in a directory of its own."""
    _, *flags = map(unset, SERVICES["redis"]["command"])
    # Not tmp_path: the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="vd") as directory:
        socket = f"{directory}/s"
        place = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--logfile", "log"]
        with subprocess.Popen([find_server(), *flags, *place]) as server:
            try:
                yield Redis(unix_socket_path=socket, decode_responses=True)
            finally:
                server.terminate()


def wait_for(redis: Redis, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(NotUp):
            redis.ping()
            return
        time.sleep(0.02)
    pytest.fail(f"Redis did not answer within {seconds} s: does it accept the flags?")


def test_redis_forgets_nothing(composed_redis: Redis) -> None:
    """The command is accepted, and means: every write goes to disk, nothing is evicted."""
    with composed_redis as redis:
        wait_for(redis)
        assert redis.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert redis.config_get("appendonly") == {"appendonly": "yes"}
        assert redis.config_get("maxmemory") == {"maxmemory": str(2 << 30)}
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

"""The units for systemd: by systemd's own judgement, and by the code that they run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from config.roles import NEEDED_BY, provider_variables
from config.settings import Settings
from support.cli_shell import Shell
from workers.commands import stop_times
from workers.gateway.server import FINISH_WITHIN
from workers.health.local_heartbeat import HANGS_AFTER

SYSTEMD = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
COMMON = SYSTEMD / "voice-dispatcher-.service.d" / "all.conf"
PROGRAM = "/opt/voice-dispatcher/.venv/bin/voice-dispatcher"
ROLES = ["beat", "flower", "gateway", "worker"]
EXPOSED = 15
"""The most that `systemd-analyze security` may find, in tenths: below 2 is its best grade."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd on this machine"
)


class Unit(RawConfigParser):
    """A unit's file: the last of what is said more than once."""

    def __init__(self, *files: Path) -> None:
        super().__init__(strict=False, delimiters=["="], comment_prefixes=["#", ";"])
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read(files)

    @property
    def service(self) -> dict[str, str]:
        return dict(self["Service"])


def role(path: Path) -> str:
    return path.stem.removeprefix("voice-dispatcher-").removesuffix("@")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's root with the units, and a program where they look for it."""
    made = tmp_path_factory.mktemp("root")
    shutil.copytree(SYSTEMD, made / "etc/systemd/system")
    program = made / PROGRAM.lstrip("/")
    program.parent.mkdir(parents=True)
    shutil.copy("/bin/true", program)
    return made


def analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["systemd-analyze", f"--root={root}", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def instance(path: Path) -> str:
    return path.name.replace("@.", "@1.")


def test_there_is_a_unit_for_each_role_that_a_machine_runs() -> None:
    assert [role(path) for path in UNITS] == ROLES


@needs_systemd
@pytest.mark.parametrize("path", UNITS, ids=role)
def test_systemd_finds_nothing_wrong(path: Path, root: Path) -> None:
    done = analyze(root, "verify", "--man=no", "--recursive-errors=no", instance(path))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_what_systemd_does_not_know_would_be_noticed(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "root"
    shutil.copytree(root, other)
    unit = other / "etc/systemd/system/voice-dispatcher-beat.service"
    unit.write_text(unit.read_text().replace("MemoryMax=", "MemoryMost="))
    done = analyze(other, "verify", "--man=no", "--recursive-errors=no", unit.name)
    assert "MemoryMost" in done.stderr


@needs_systemd
@pytest.mark.parametrize("path", UNITS, ids=role)
def test_a_service_can_do_little_harm(path: Path, root: Path) -> None:
    done = analyze(root, "security", "--offline=true", f"--threshold={EXPOSED}", instance(path))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", UNITS, ids=role)
def test_a_unit_runs_a_command_that_there_is(path: Path, tmp_path: Path) -> None:
    program, *arguments = shlex.split(Unit(path).service["ExecStart"].replace("%i", "1"))
    assert program == PROGRAM
    assert arguments[0] == role(path)
    ran = Shell(tmp_path)(*arguments, "--help")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("path", UNITS, ids=role)
def test_a_unit_is_given_the_secrets_of_its_role_alone(path: Path) -> None:
    """A folder for each, which is made empty, and which systemd alone reads."""
    name, _, folder = Unit(path).service["LoadCredential"].partition(":")
    assert (name, folder) == (role(path), f"/etc/voice-dispatcher/{role(path)}")
    made = (SYSTEMD / "tmpfiles.d/voice-dispatcher.conf").read_text()
    assert ["d", folder, "0700", "root", "root"] in [line.split() for line in made.splitlines()]


def test_no_unit_holds_a_secret() -> None:
    secret = {*NEEDED_BY, *provider_variables()}
    for path in [*UNITS, COMMON]:
        assert not [name for name in secret if name in path.read_text()]


def test_a_service_has_as_long_to_end_as_its_processes_take() -> None:
    stops = {role(path): float(Unit(path).service["TimeoutStopSec"]) for path in UNITS}
    assert stops["worker"] > sum(stop_times(Settings.load()).values())
    assert stops["gateway"] > FINISH_WITHIN
    assert min(stops.values()) > 10  # as tests/processes/test_endings.py has it


def test_the_watchdog_is_slower_than_the_heartbeat() -> None:
    assert float(Unit(COMMON).service["WatchdogSec"]) > HANGS_AFTER


def test_a_refusal_to_start_is_left_to_a_person_and_everything_else_is_tried_again() -> None:
    said = Unit(COMMON)
    assert said.service["Restart"] == "always"
    assert said.service["RestartPreventExitStatus"] == "2"
    assert said["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_target_has_what_makes_calls() -> None:
    target = (SYSTEMD / "voice-dispatcher.target").read_text()
    wanted = [instance(path) for path in UNITS if role(path) != "flower"]
    assert all(name in target for name in wanted)


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd on this machine")
def test_the_user_and_the_folders_are_made(tmp_path: Path) -> None:
    for folder in ("etc", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    name = "voice-dispatcher.conf"
    users, files = SYSTEMD / "sysusers.d" / name, SYSTEMD / "tmpfiles.d" / name
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", users], check=True)
    assert "voice-dispatcher:" in (tmp_path / "etc/passwd").read_text()
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}", files], check=True)
    assert (tmp_path / "etc/voice-dispatcher/worker").stat().st_mode & 0o777 == 0o700

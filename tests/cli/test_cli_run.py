"""`run`: a command that somebody is called for when it fails."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.alert import Alert, AlertState, Severity
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.cli_shell import Shell
from support.redis_servers import RedisProcess

ON_CALL: dict[str, Any] = {
    "contacts": {"ann": {"number": "+818012340002"}},
    "chains": {"database": {"steps": [{"call": ["ann"]}]}, "other": {"steps": [{"call": ["ann"]}]}},
    "routes": [
        {"match": {"team": "web"}, "chain": "other"},
        {"match": {"source": "run"}, "chain": "database"},
    ],
}


@pytest.fixture(autouse=True)
def _somebody_is_on_call(store: Store) -> None:
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:sam")


def alerts(store: Store) -> list[Alert]:
    return store.alerts.page().alerts


def test_a_failure_rings_and_the_next_success_ends_it(shell: Shell, store: Store) -> None:
    ran = shell.run("run", "--", "sh", "-c", "echo out; echo call +818012345678 >&2; exit 3")
    assert (ran.code, ran.out, ran.err) == (3, "out\n", "call +818012345678\n")
    (alert,) = alerts(store)
    assert (alert.state, alert.chain) == (AlertState.RINGING, "database")
    assert alert.summary == f"sh on {socket.gethostname()} ended with exit code 3"
    assert alert.severity is Severity.CRITICAL
    assert alert.annotations == {"output": "call +8180****5678"}
    assert "exit 3" not in str(alert)  # no argument of the command is told
    assert shell.run("run", "--", "sh", "-c", "exit 4").code == 4
    assert alerts(store)[0].reports == 2
    assert shell.run("run", "--", "sh", "-c", "true").code == 0
    (over,) = alerts(store)
    assert (over.id, over.state) == (alert.id, AlertState.RESOLVED)
    assert shell.run("run", "--", "sh", "-c", "exit 5").code == 5
    assert len(alerts(store)) == 2  # a new incident, which rings


def test_a_success_of_what_never_failed_is_nothing(shell: Shell, store: Store) -> None:
    ran = shell.run("run", "--", "true")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert alerts(store) == []


def test_its_name_severity_and_labels_are_told(shell: Shell, store: Store) -> None:
    told = ("--name", "nightly", "--severity", "warning", "--label", "team=web")
    ran = shell.run("run", *told, "--timeout", "1s", "--", "sleep", "60")
    assert ran.code == 124
    (alert,) = alerts(store)
    assert alert.summary == f"nightly on {socket.gethostname()} did not end in time"
    assert (alert.severity, alert.chain) == (Severity.WARNING, "other")
    assert alert.labels["command"] == "nightly"


def test_a_success_may_leave_the_alert_to_people(shell: Shell, store: Store) -> None:
    told = ("run", "--name", "a", "--on-success", "nothing", "--")
    shell.run(*told, "false")
    shell.run(*told, "true")
    assert [each.state for each in alerts(store)] == [AlertState.RINGING]


@pytest.mark.parametrize("command", ["false", "true"])
def test_without_the_dispatcher_the_exit_code_stays_and_one_line_says_so(
    nowhere: Shell, free_port: int, command: str
) -> None:
    url = f"redis://:Hunter2@127.0.0.1:{free_port}/0"
    ran = nowhere.run("run", "--try-for", "1s", "--", command, DISPATCHER_REDIS_URL=url)
    assert ran.code == (1 if command == "false" else 0)
    (line,) = ran.err.splitlines()
    assert line.startswith("voice-dispatcher run: ")
    assert "cannot be reached" in line
    assert "Hunter2" not in line


def test_a_redis_that_comes_back_in_time_is_told(nowhere: Shell, tmp_path: Path) -> None:
    """As in a failover: what fails then is no less a failure."""
    server = RedisProcess(tmp_path / "redis")
    process = nowhere.start("run", "--", "false", DISPATCHER_REDIS_URL=server.url)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)  # it goes on trying
        with server:
            ran = nowhere.end(process)
            (alert,) = alerts(Store.from_url(server.url))
    finally:
        process.kill()
    assert (ran.code, ran.err) == (1, "")
    assert alert.summary.startswith("false on ")


def test_where_none_was_ever_named_the_command_runs_all_the_same(nowhere: Shell) -> None:
    ran = nowhere.run("run", "--", "sh", "-c", "echo out; exit 7")
    assert (ran.code, ran.out) == (7, "out\n")
    assert "voice-dispatcher run: nobody is called for it: no dispatcher found" in ran.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--timeout", "soon"), "--timeout"),
        (("--severity", "dire"), "--severity"),
        (("--label", "team"), "'team' is no NAME=VALUE"),
    ],
)
def test_a_wrong_option_runs_nothing(shell: Shell, options: tuple[str, ...], says: str) -> None:
    ran = shell.run("run", *options, "--", "sh", "-c", "echo ran")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert shell.run("run").code == 2

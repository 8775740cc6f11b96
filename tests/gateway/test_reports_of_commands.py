"""`run` and `alert` through a gateway, from machines that may not reach Redis."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from dispatcher.cli.gateway_reports import Gateway as Through
from dispatcher.cli.gateway_reports import GatewayAway, NotReported
from dispatcher.errors import UsageError
from dispatcher.model.alert import AlertEvent, AlertState
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.cli_shell import Shell
from support.gateway_process import Gateway
from support.ports import free_port
from support.webhook_receiver import Receiver, receiving

EVENT = AlertEvent("run", "backup@db1", firing=True, summary="backup on db1 failed")


@pytest.fixture
def shell(gateway: Gateway, store: Store, tmp_path: Path) -> Shell:
    """A command line on a machine that knows the gateway, and a key that may report alone."""
    _, secret = store.api_keys.create("cron-db1", [Scope.ALERT])
    key = tmp_path / "key"
    key.write_text(f"{secret}\n")
    variables = {"DISPATCHER_GATEWAY_URL": gateway.url, "DISPATCHER_KEY_FILE": str(key)}
    return Shell(tmp_path, **variables)


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Something else that answers there."""
    with receiving() as receiver:
        yield receiver


def test_a_failure_and_the_next_success_come_through(shell: Shell, store: Store) -> None:
    ran = shell.run("run", "--name", "backup", "--", "sh", "-c", "echo no space >&2; exit 3")
    assert (ran.code, ran.err) == (3, "no space\n")
    (alert,) = store.alerts.page().alerts
    assert alert.summary == f"backup on {socket.gethostname()} ended with exit code 3"
    assert (alert.labels["command"], alert.labels["reported_by"]) == ("backup", "run")
    assert alert.annotations == {"description": "no space"}
    assert shell.run("run", "--name", "backup", "--", "true").code == 0
    (over,) = store.alerts.page().alerts
    assert (over.id, over.state) == (alert.id, AlertState.RESOLVED)


def test_an_alert_comes_through(shell: Shell, store: Store) -> None:
    ran = shell("alert", "Disk full on db1", "--key", "disk", "--json")
    (alert,) = store.alerts.page().alerts
    assert (ran.code, ran.json["id"], ran.json["what"]) == (0, alert.id, "new")
    assert alert.summary == "Disk full on db1"


def test_a_key_that_may_not_is_told_and_not_shown(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    _, secret = store.api_keys.create("wall", [Scope.READ])
    (tmp_path / "key").write_text(secret)
    ran = shell.run("run", "--", "false")
    assert ran.code == 1
    assert "nobody is called for it: the gateway answers 403: " in ran.err
    assert secret not in ran.err


def test_what_redirects_or_is_no_gateway_is_said(other: Receiver) -> None:
    through = Through(other.url, "vd_secret")
    other.answers["/v1/alerts/generic"] = HTTPStatus.OK
    with pytest.raises(NotReported, match="answers as no gateway does"):
        through.report(EVENT)
    other.answers["/v1/alerts/generic"] = lambda handler: handler.reply(302, Location="/elsewhere")
    with pytest.raises(NotReported, match="the gateway answers 302: it is at another address"):
        through.report(EVENT)
    assert other.at("/elsewhere") == []
    other.answers["/v1/alerts/generic"] = HTTPStatus.SERVICE_UNAVAILABLE
    with pytest.raises(GatewayAway, match="answers 503"):
        through.report(EVENT)


def test_nobody_there_is_said_and_tried_again() -> None:
    with pytest.raises(GatewayAway, match="cannot be reached"):
        Through(f"http://127.0.0.1:{free_port()}", "vd_secret").report(EVENT)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://voice.example.com", "in clear"),
        ("voice.example.com", "write its address"),
        ("https://user:Hunter2@voice.example.com", "write its address"),
    ],
)
def test_an_address_that_gives_the_key_away_is_refused(tmp_path: Path, url: str, says: str) -> None:
    key = tmp_path / "key"
    key.write_text("vd_x")
    with pytest.raises(UsageError, match=says) as caught:
        Through.of(url, key)
    assert "Hunter2" not in str(caught.value)


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert Through.of(None, None) is None
    with pytest.raises(UsageError, match="--key-file is missing"):
        Through.of("https://voice.example.com", None)
    with pytest.raises(UsageError, match="cannot be read"):
        Through.of("https://voice.example.com", tmp_path / "none")

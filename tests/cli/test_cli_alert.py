"""`alert`: alerts of scripts, and of Nagios and Icinga by their macros."""

from __future__ import annotations

import time

import pytest

from dispatcher.model.alert import AlertState, Severity
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.cli_shell import Shell

ON_CALL = {
    "contacts": {"ann": {"numbers": ["+818012340002"]}},
    "chains": {"all": {"steps": [{"call": ["ann"]}]}},
    "routes": [{"match": {"team": "quiet"}, "chain": "none"}, {"chain": "all"}],
}
NAGIOS = ("alert", "--source", "nagios", "--host", "db1", "--service", "Disk")


@pytest.fixture(autouse=True)
def on_call(store: Store) -> None:
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:ann")


def test_an_alert_of_a_script_rings_once_and_is_ended_by_its_key(
    shell: Shell, store: Store
) -> None:
    said = ("--label", "team=db", "--severity", "warning", "--text", "95 percent")
    ran = shell("alert", "Disk full on db1", "--key", "disk-db1", *said)
    assert ran.code == 0
    (alert,) = store.alerts.page().alerts
    assert ran.out == f"{alert.id} rings\n"
    assert (alert.summary, alert.severity, alert.labels["team"]) == (
        "Disk full on db1",
        Severity.WARNING,
        "db",
    )
    assert alert.annotations == {"description": "95 percent"}
    again = shell("alert", "Disk full on db1", "--key", "disk-db1", "--json").json
    assert (again["what"], again["id"]) == ("repeat", alert.id)
    assert "is over" in shell("alert", "--key", "disk-db1", "--resolve").out
    assert store.alerts.get(alert.id).state is AlertState.RESOLVED
    unknown = shell("alert", "--key", "never", "--resolve")
    assert (unknown.code, "was never reported" in unknown.out) == (0, True)


def test_the_summary_is_the_key_of_an_alert_that_has_none(shell: Shell, store: Store) -> None:
    shell("alert", "Backup failed")
    assert "rings nobody now" in shell("alert", "Backup failed").out
    assert "nobody is called" in shell("alert", "Other", "--label", "team=quiet").out


def test_a_problem_of_nagios_rings_and_its_recovery_ends_it(shell: Shell, store: Store) -> None:
    problem = ("--type", "PROBLEM", "--state", "CRITICAL", "--text", "DISK CRITICAL - 5 %")
    assert shell(*NAGIOS, *problem).code == 0
    (alert,) = store.alerts.page().alerts
    assert (alert.source, alert.summary) == ("nagios", "Disk on db1 is critical")
    assert shell(*NAGIOS, "--type", "RECOVERY", "--state", "OK").code == 0
    assert store.alerts.get(alert.id).state is AlertState.RESOLVED


def test_what_calls_for_nothing_is_no_failure(shell: Shell, store: Store) -> None:
    ran = shell(*NAGIOS, "--type", "ACKNOWLEDGEMENT", "--state", "CRITICAL")
    assert (ran.code, store.alerts.page().alerts) == (0, [])
    assert "ACKNOWLEDGEMENT calls for nothing" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("alert",), "an alert needs a summary or a key"),
        (("alert", "x", "--label", "team"), "write NAME=VALUE"),
        (("alert", "x", "--link", "disk"), "the link is no http or https address"),
        (("alert", "x", "--severity", "bad"), "'bad' is not one of"),
        ((*NAGIOS, "--state", "BAD"), "the state is 'BAD'"),
        (("alert", "--source", "nagios", "--state", "OK"), "the host has no name"),
        (("alert", "x", "--try-for", "soon"), "soon"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    shell: Shell, store: Store, arguments: tuple[str, ...], says: str
) -> None:
    ran = shell(*arguments)
    assert (ran.code, store.alerts.page().alerts) == (2, [])
    assert says in ran.complaint


def test_a_redis_that_is_away_is_tried_again_for_a_while(shell: Shell, free_port: int) -> None:
    """Nagios runs its command once."""
    began = time.monotonic()
    gone = f"redis://127.0.0.1:{free_port}/0"
    ran = shell("alert", "x", "--try-for", "1s", DISPATCHER_REDIS_URL=gone)
    assert (ran.code, time.monotonic() - began > 0.4) == (1, True)
    assert "Redis cannot be reached" in ran.complaint

"""`alerts`, and `why` of an alert."""

from __future__ import annotations

from datetime import timedelta

from dispatcher.model.alert import AlertState
from dispatcher.store import Store
from support.alerts import BEGAN
from support.cli_shell import Shell
from support.seen_alerts import called, event, reported, unreached

NUMBER = "+818011234567"


def test_alerts_are_listed_newest_first_with_numbers_masked(shell: Shell, store: Store) -> None:
    assert shell("alerts", "list").out == "no alerts\n"
    later = {"summary": f"{NUMBER} is down", "started_at": BEGAN + timedelta(1)}
    first, second = reported(store, event("1"))[0], reported(store, event("2", **later))[0]
    shown = shell("alerts", "list").out
    assert NUMBER not in shown
    assert "+8180****4567 is down" in shown
    ids = [each["id"] for each in shell("alerts", "list", "--json").json]
    assert sorted(ids) == sorted([first, second])
    assert "timeline" not in shell("alerts", "list", "--json").json[0]


def test_a_list_goes_on_where_it_ended(shell: Shell, store: Store) -> None:
    for n in range(5):
        reported(store, event(str(n)))
    ran = shell("alerts", "list", "--limit", "3", "--json")
    cursor = ran.err.split("--cursor ")[1].strip()
    rest = shell("alerts", "list", "--cursor", cursor, "--json").json
    assert len({each["id"] for each in [*ran.json, *rest]}) == 5


def test_alerts_are_listed_by_state(shell: Shell, store: Store) -> None:
    one, _ = reported(store, event("1"))[0], reported(store, event("2"))[0]
    unreached(store, one)
    found = shell("alerts", "list", "--state", "unreached", "--json").json
    assert [each["id"] for each in found] == [one]
    assert shell("alerts", "list", "--state", "lost").code == 2


def test_an_alert_is_shown_whole(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    job = called(store, id_)
    shown = shell("alerts", "show", id_).out
    assert "the call to ann waits" in shown
    assert f"job {job}" in shown
    assert "+8180****0002" in shown
    assert "DiskFull" in shown
    found = shell("alerts", "show", id_, "--json").json
    assert found["calls"][0] | {"became": "waits", "contact": "ann"} == found["calls"][0]
    assert found["why"].startswith("the chain database is under way")


def test_somebody_says_that_they_have_it(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    job = called(store, id_)
    ran = shell("alerts", "ack", id_, "--by", "ann", "--note", "restarting")
    assert ran.out.startswith("Disk full on db1: ann has it since ")
    assert ran.out.endswith("nobody else is called\n")
    assert store.jobs.get(job).state == "cancelled"
    again = shell("alerts", "ack", id_, "--by", "bob")
    assert again.code == 0
    assert "ann has it since" in again.out
    assert "already" in again.out
    assert store.alerts.get(id_).acknowledged_by == "ann"


def test_what_is_resolved_cannot_be_had(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    reported(store, event(firing=False))
    for command in ("ack", "cancel"):
        ran = shell("alerts", command, id_)
        assert ran.code == 1
        assert f"alert {id_} has been resolved since" in ran.complaint
        assert "nobody had it" in ran.complaint
    found = shell("alerts", "ack", id_, "nosuchalert", "--json")
    assert found.json["done"] == []
    assert [each["id"] for each in found.json["refused"]] == [id_, "nosuchalert"]
    assert found.code == 1


def test_calls_are_stopped(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    assert "its calls are stopped" in shell("alerts", "cancel", id_).out
    assert store.alerts.get(id_).state is AlertState.CANCELLED
    again = shell("alerts", "cancel", id_)
    assert (again.code, "nothing to stop: it is cancelled" in again.out) == (0, True)


def test_why_tells_of_alerts_too(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    assert "the chain database is under way" in shell("why", id_).out
    unreached(store, id_)
    assert "nobody has it: nobody answered" in shell("why", id_).out
    assert shell("why", id_, "--json").json["state"] == "unreached"
    shown = shell("show", id_, "--json").json  # without --json it would say how long ago it was
    assert shown == shell("alerts", "show", id_, "--json").json
    unknown = shell("why", "nosuchthing")
    assert (unknown.code, "no job 'nosuchthing'" in unknown.complaint) == (1, True)


def test_stats_tells_how_many_alerts_are_where(shell: Shell, store: Store) -> None:
    assert "Alerts" not in shell("stats").out
    one, _ = (reported(store, event(name))[0] for name in ("1", "2"))
    unreached(store, one)
    assert "Alerts: 1 ringing, 1 unreached" in shell("stats").out
    assert shell("stats", "--json").json["alerts"]["now"]["unreached"] == 1


def test_a_week_in_figures(shell: Shell, store: Store) -> None:
    (id_,) = reported(store)
    called(store, id_)
    unreached(store, id_)
    shown = shell("alerts", "summary", "--zone", "Asia/Tokyo").out
    assert "1 alert from" in shown
    assert "Unreached: 1, nobody answered" in shown
    assert "at night" in shown
    found = shell("alerts", "summary", "--since", "1h", "--json").json
    assert (found["alerts"], found["people"]["ann"]["calls"]) == (1, 1)
    assert shell("alerts", "summary", "--zone", "Moon").code == 2

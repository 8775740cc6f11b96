"""Whether all that stands in Redis of alerts agrees with itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

from dispatcher.model.alert import ALERT_TRANSITIONS, BUNDLE, AlertState
from dispatcher.model.states import TERMINAL, WAITING
from dispatcher.store.schema import ALERT_LOOKED_AT
from support.store_jobs import Snapshot, records

Alerts = Mapping[str, Mapping[str, str]]


def alerts_of(found: Snapshot) -> Alerts:
    """Return the raw records of alerts in a snapshot, by their ids."""
    mark = "alert_record:"
    return {name.removeprefix(mark): it for name, it in found.items() if name.startswith(mark)}


def assert_alerts_sound(found: Snapshot, now: float) -> None:
    """Every alert stands just where its state wants it, and nothing else stands there."""
    alerts = alerts_of(found)
    _assert_indexes(found, alerts)
    _assert_one_alert_for_an_incident(found, alerts)
    _assert_due(found, alerts, now)
    _assert_bundles(found, alerts)
    _assert_jobs(found, alerts)
    for alert in alerts.values():
        _assert_states_follow(alert)


def _assert_indexes(found: Snapshot, alerts: Alerts) -> None:
    assert found.get("alerts", {}).keys() == alerts.keys()
    for state in AlertState:
        there = found.get(f"alerts:by_state:{state}", {}).keys()
        assert there == {id_ for id_, alert in alerts.items() if alert["state"] == state}


def _assert_one_alert_for_an_incident(found: Snapshot, alerts: Alerts) -> None:
    """Of each rule one incident at most is not over; and the latest is known."""
    single = [alert for alert in alerts.values() if alert["source"] != BUNDLE]
    lasting = Counter(a["incident"] for a in single if a["state"] != AlertState.RESOLVED)
    assert not lasting or max(lasting.values()) == 1
    latest = found.get("alerts:incidents", {})
    assert set(latest.values()) <= alerts.keys()
    for id_, alert in alerts.items():
        if alert["source"] != BUNDLE and alert["state"] != AlertState.RESOLVED:
            assert latest[alert["incident"]] == id_


def _assert_due(found: Snapshot, alerts: Alerts, now: float) -> None:
    due = found.get("alerts:due", {})
    ringing = {id_ for id_, alert in alerts.items() if alert["state"] == AlertState.RINGING}
    telling = {id_ for id_, alert in alerts.items() if "telling" in alert}
    assert due.keys() == ringing | telling
    assert all(float(at) <= now + ALERT_LOOKED_AT for at in due.values())
    for chain, id_ in found.get("alerts:storms", {}).items():
        assert (alerts[id_]["state"], alerts[id_]["chain"]) == (AlertState.RINGING, chain)


def _assert_bundles(found: Snapshot, alerts: Alerts) -> None:
    members: dict[str, set[str]] = defaultdict(set)
    for id_, alert in alerts.items():
        if bundle := alert.get("told_by"):
            members[bundle].add(id_)
            assert alerts[bundle]["source"] == BUNDLE
        if alert["state"] == AlertState.FOLDED:
            assert alerts[alert["told_by"]]["state"] == AlertState.RINGING
    for id_, alert in alerts.items():
        assert found.get(f"alert_members:{id_}", {}).keys() == members[id_]
        if alert["source"] == BUNDLE:
            _assert_counts(alert, [alerts[each] for each in members[id_]])


def _assert_counts(bundle: Mapping[str, str], members: list[Mapping[str, str]]) -> None:
    states = Counter(member["state"] for member in members)
    resolved, folded = states[AlertState.RESOLVED], states[AlertState.FOLDED]
    counted = [int(bundle[name]) for name in ("members", "firing", "folded")]
    assert counted == [len(members), len(members) - resolved, folded]
    assert folded or bundle["state"] != AlertState.RINGING, "its calls tell of nobody"


def _assert_jobs(found: Snapshot, alerts: Alerts) -> None:
    """Nothing waits for an alert that does not ring; each call is one job, each job one call."""
    living: dict[str, set[str]] = defaultdict(set)
    calls = {id_: _calls(alert) for id_, alert in alerts.items()}
    for id_, job in records(found).items():
        alert = job.get("alert")
        if alert not in alerts:
            continue
        assert calls[alert].count(id_) == 1
        if job["state"] not in TERMINAL:
            living[alert].add(id_)
        if job["state"] in WAITING:
            assert alerts[alert]["state"] == AlertState.RINGING or alerts[alert].get(
                "tell_resolved"
            )
    for id_ in alerts:
        assert found.get(f"alert_jobs:{id_}", {}).keys() == living[id_]


def _calls(alert: Mapping[str, str]) -> list[str]:
    count = int(alert.get("calls", 0))
    return [alert[f"c{n}"].split(" ")[5] for n in range(1, count + 1)]


def _assert_states_follow(alert: Mapping[str, str]) -> None:
    """As the timeline tells, whose lines begin with a state."""
    lines = [alert[f"t{n}"].split(" ", 2)[2] for n in range(1, int(alert["lines"]) + 1)]
    words = [line.partition(":")[0] for line in lines]
    states = [AlertState(word) for word in words if word in set(AlertState)]
    assert states[-1] == alert["state"]
    for before, after in pairwise(states):
        assert after in ALERT_TRANSITIONS[before]

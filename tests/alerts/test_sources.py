"""What is read of the bodies that monitoring programs send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dispatcher.alerts.sources import nagios
from dispatcher.alerts.sources.reading import MOST_ALERTS, Asked, Reading
from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import AlertEvent, InvalidAlert, Severity

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
BEGAN = datetime(2026, 11, 28, 21, 57, 21, 908937, tzinfo=UTC)
ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "db1:9100", "severity": "page"},
    "annotations": {"summary": "Disk full on db1", "description": "95 percent"},
    "startsAt": "2026-11-28T21:57:21.908937506Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph?g0.expr=x",
    "fingerprint": "efb0c6c488e007da",
}
GROUP = {
    "receiver": "voice",
    "status": "firing",
    "alerts": [ALERT],
    "groupLabels": {"alertname": "DiskFull"},
    "commonLabels": {"alertname": "DiskFull"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example:9093",
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "truncatedAlerts": 0,
}
BEAT = {
    "monitorID": 29,
    "status": 0,
    "time": "2026-11-28 21:51:35.527",
    "msg": "getaddrinfo ENOTFOUND shop.example",
    "important": True,
    "duration": 0,
}
MONITOR = {
    "id": 29,
    "name": "Shop",
    "type": "http",
    "url": "https://shop.example",
    "hostname": None,
    "tags": [{"name": "severity", "value": "warning"}, {"name": "team", "value": "web"}],
}
CHECK = {
    "code": "5f1e1f7c-3f8e-4f7e-9f3e-0a1b2c3d4e5f",
    "name": 'Nightly "backup"',
    "status": "down",
    "tags": "db severity=error",
}
PROBLEM = {
    "event_id": "4711",
    "value": "1",
    "update": "0",
    "name": "Free disk space is less than 5%",
    "severity": "4",
    "host": "db1",
    "trigger_id": "99",
    "timestamp": "1795903041",
    "tags": '[{"tag":"component","value":"storage"},{"tag":"urgent","value":""}]',
    "opdata": "Space used: 95 %",
    "url": "{TRIGGER.URL}",
}


def read(source: str, body: Any, **query: str) -> Reading:
    return SOURCES[source](body, Asked(NOW, query))


def one(source: str, body: Any, **query: str) -> AlertEvent:
    found = read(source, body, **query)
    assert (len(found.events), found.refused, found.ignored) == (1, (), 0)
    return found.events[0]


def why(source: str, body: Any, **query: str) -> str:
    with pytest.raises(InvalidAlert) as caught:
        read(source, body, **query)
    return str(caught.value)


def test_an_alert_of_alertmanager_is_read_whole() -> None:
    assert one("alertmanager", GROUP) == AlertEvent(
        source="alertmanager",
        fingerprint="efb0c6c488e007da",
        firing=True,
        summary="Disk full on db1",
        severity=Severity.CRITICAL,
        started_at=BEGAN,
        labels=ALERT["labels"],  # type: ignore[arg-type] # of these fields all are texts
        annotations=ALERT["annotations"],  # type: ignore[arg-type]
        link="http://prometheus.example/graph?g0.expr=x",
    )


def test_each_alert_of_a_group_stands_for_itself() -> None:
    over = {**ALERT, "status": "resolved", "fingerprint": "b"}
    bad: list[Any] = [{**ALERT, "status": "on"}, 7, None]
    found = read("alertmanager", {**GROUP, "alerts": [over, *bad, ALERT]})
    assert [event.firing for event in found.events] == [False, True]
    assert [each.alert for each in found.refused] == [1, 2, 3]
    assert "'on'" in found.refused[0].why
    assert "an alert must be a JSON object, and is a number" in found.refused[1].why


def test_without_a_fingerprint_the_labels_are_one() -> None:
    bare = {name: value for name, value in ALERT.items() if name != "fingerprint"}
    turned = {**bare, "labels": dict(reversed(ALERT["labels"].items()))}  # type: ignore[attr-defined]
    other = {**bare, "labels": {"alertname": "DiskFull", "instance": "db2:9100"}}
    first, same, second = (
        one("alertmanager", {"alerts": [each]}).fingerprint for each in (bare, turned, other)
    )
    assert first == same != second


@pytest.mark.parametrize(
    ("annotations", "labels", "summary"),
    [
        ({"message": "m", "description": "d"}, {}, "m"),
        ({"description": "two\nlines \x00 of\ttext"}, {}, "two lines of text"),
        ({"summary": "  "}, {"alertname": "A", "job": "j"}, "A on j"),
        (None, {}, ""),
        ({"summary": 7}, {}, "7"),
        ({"summary": "x" * 900}, {}, "x" * 499 + "…"),
    ],
)
def test_what_is_wrong_is_said_by_the_annotations_that_people_use(
    annotations: Any, labels: Any, summary: str
) -> None:
    alert = {**ALERT, "annotations": annotations, "labels": labels}
    assert one("alertmanager", {"alerts": [alert]}).summary == summary


@pytest.mark.parametrize(
    "starts", [None, "", "soon", "0001-01-01T00:00:00Z", "2026-11-28T10:00:00", 1e30, [], {}]
)
def test_a_start_that_is_none_does_not_keep_an_alert_from_ringing(starts: Any) -> None:
    assert one("alertmanager", {"alerts": [{**ALERT, "startsAt": starts}]}).started_at is None


def test_alerts_that_were_left_out_are_told() -> None:
    found = read("alertmanager", {**GROUP, "truncatedAlerts": 12})
    assert len(found.events) == 1
    assert [(each.alert, each.why[:30]) for each in found.refused] == [
        (None, "12 alerts of the group were le")
    ]
    many = read("alertmanager", {"alerts": [ALERT] * (MOST_ALERTS + 1)})
    assert len(many.events) == MOST_ALERTS
    assert "the first 2000 are read" in many.refused[0].why


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("P1", Severity.CRITICAL),
        ("High", Severity.ERROR),
        ("warn", Severity.WARNING),
        ("none", Severity.INFO),
        ("whatever", Severity.CRITICAL),
        ("", Severity.CRITICAL),
    ],
)
def test_severities_are_read_in_any_of_their_words(word: str, severity: Severity) -> None:
    event = one("alertmanager", {"alerts": [{**ALERT, "labels": {"severity": word}}]})
    assert event.severity is severity
    assert event.labels["severity"] == (word or "critical")  # what routes go by


def test_odd_labels_are_cut_and_never_refused() -> None:
    labels = {"n": 1, "l": ["a"], "none": None, "long": "x" * 5000, "": "y", "b\x00": "c"}
    many = {f"label{n}": "v" for n in range(500)} | {"severity": "info"}
    event = one("alertmanager", {"alerts": [{**ALERT, "labels": {**labels, **many}}]})
    assert event.severity is Severity.INFO
    assert (event.labels["n"], event.labels["l"], event.labels["b"]) == ("1", '["a"]', "c")
    assert "none" not in event.labels
    assert len(event.labels) <= 65
    assert max(map(len, event.labels.values())) <= 1000


def test_links_that_are_no_web_address_are_left_out() -> None:
    links = ("javascript:alert(1)", "http://a b", 7, "", "http://x/" + "y" * 3000)
    for each in links:
        assert one("alertmanager", {"alerts": [{**ALERT, "generatorURL": each}]}).link is None


def test_grafana_has_alertmanagers_form_and_its_own_name() -> None:
    body = {"receiver": "r", "status": "firing", "orgId": 1, "title": "t", "alerts": [ALERT]}
    assert (one("grafana", body).source, one("grafana", body).started_at) == ("grafana", BEGAN)


@pytest.mark.parametrize(
    ("state", "firing"), [("alerting", True), ("no_data", True), ("ok", False)]
)
def test_grafana_before_release_9_tells_of_a_rule(state: str, firing: bool) -> None:
    body = {
        "title": "[Alerting] Load",
        "ruleId": 4,
        "ruleName": "Load",
        "ruleUrl": "https://grafana.example/d/1",
        "state": state,
        "message": "Load is high",
        "tags": {"severity": "warning"},
        "evalMatches": [{"value": 100, "metric": "High value", "tags": None}],
    }
    event = one("grafana", body)
    assert (event.firing, event.fingerprint, event.summary) == (firing, "rule 4", "Load is high")
    assert event.severity is Severity.WARNING
    assert read("grafana", {**body, "state": "pending"}).ignored == 1


def test_a_monitor_of_uptime_kuma_goes_down_and_up() -> None:
    body = {"heartbeat": BEAT, "monitor": MONITOR, "msg": "[Shop] [Down] getaddrinfo"}
    down = one("uptime-kuma", body)
    up = one("uptime-kuma", {**body, "heartbeat": {**BEAT, "status": 1}})
    assert (down.firing, up.firing) == (True, False)
    assert down.fingerprint == up.fingerprint == "monitor 29"
    assert (down.summary, down.severity) == ("Shop is down", Severity.WARNING)
    assert (down.labels["monitor"], down.labels["team"]) == ("Shop", "web")
    assert down.started_at is None
    for status in (2, 3):
        assert read("uptime-kuma", {**body, "heartbeat": {**BEAT, "status": status}}).ignored == 1


def test_uptime_kumas_test_rings_each_time_and_a_certificate_warns() -> None:
    test = one("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": "Voice Testing"})
    assert (test.started_at, test.labels["test"]) == (NOW, "yes")
    said = "[Shop][https://shop.example] server certificate will expire in 14 days"
    ends = one("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": said})
    assert (ends.summary, ends.severity, ends.started_at) == (said, Severity.WARNING, None)


def test_a_check_of_healthchecks_goes_down_and_up() -> None:
    down, up = one("healthchecks", CHECK), one("healthchecks", {**CHECK, "status": "up"})
    assert (down.firing, up.firing) == (True, False)
    assert down.fingerprint == up.fingerprint == CHECK["code"]
    assert (down.summary, down.severity) == ('Nightly "backup" is down', Severity.ERROR)
    assert down.labels["db"] == "yes"
    assert one("healthchecks", {**CHECK, "name": "TEST"}).started_at == NOW


def test_a_problem_of_zabbix_begins_and_is_over() -> None:
    began, over = one("zabbix", PROBLEM), one("zabbix", {**PROBLEM, "value": "0"})
    assert (began.firing, over.firing) == (True, False)
    assert began.fingerprint == over.fingerprint == "4711"
    assert began.started_at == over.started_at == datetime.fromtimestamp(1795903041, UTC)
    assert (began.severity, began.link) == (Severity.ERROR, None)
    assert began.labels == {
        "component": "storage",
        "host": "db1",
        "severity": "error",
        "trigger": "99",
        "urgent": "yes",
    }
    assert read("zabbix", {**PROBLEM, "update": "1"}).ignored == 1
    older = one("zabbix", {**PROBLEM, "timestamp": "{EVENT.TIMESTAMP}"})
    assert older.started_at is None


@pytest.mark.parametrize(
    ("type_", "state", "service", "firing", "severity"),
    [
        ("PROBLEM", "CRITICAL", "Disk", True, Severity.CRITICAL),
        ("PROBLEM", "warning", "Disk", True, Severity.WARNING),
        ("RECOVERY", "OK", "Disk", False, None),
        ("PROBLEM", "DOWN", "", True, Severity.CRITICAL),
        ("RECOVERY", "UP", "", False, None),
        ("", "UNKNOWN", "Disk", True, Severity.ERROR),
    ],
)
def test_nagios_notifications_are_read_by_their_macros(
    type_: str, state: str, service: str, firing: bool, severity: Severity | None
) -> None:
    event = nagios.read(nagios.Notification("db1", state, service, "95 %", type_))
    assert event
    assert (event.firing, event.fingerprint) == (firing, f"db1 / {service}".strip())
    assert severity is None or event.severity is severity
    assert event.labels["host"] == "db1"


def test_nagios_notifications_that_call_for_nothing_ring_nobody() -> None:
    for type_ in ("ACKNOWLEDGEMENT", "DOWNTIMESTART", "FLAPPINGSTOP"):
        assert nagios.read(nagios.Notification("db1", "CRITICAL", "Disk", type=type_)) is None
    with pytest.raises(InvalidAlert, match="the state is 'BAD'"):
        nagios.read(nagios.Notification("db1", "BAD"))


@pytest.mark.parametrize(
    ("source", "body", "says"),
    [
        *[(name, [], "the body must be a JSON object") for name in SOURCES if name != "generic"],
        ("generic", [], "no id and no summary"),
        ("alertmanager", {}, "alerts must be a list of alerts, and is null or left out"),
        ("grafana", {"title": "x"}, "alerts must be a list"),
        ("grafana", {"ruleId": 1, "state": "hot"}, "its state is 'hot'"),
        ("uptime-kuma", {}, "there is no heartbeat, and no msg"),
        ("uptime-kuma", {"heartbeat": {"status": True}}, "heartbeat.status is 'true'"),
        ("uptime-kuma", {"heartbeat": {"status": 0}}, "the monitor has no id"),
        ("healthchecks", {"status": "down"}, "there is no code"),
        ("healthchecks", {"code": "x"}, "status is ''"),
        ("zabbix", {"value": "{EVENT.VALUE}", "event_id": "1"}, "value is ''"),
        ("zabbix", {"value": "1", "event_id": "{EVENT.ID}"}, "there is no event_id"),
    ],
)
def test_a_body_of_nothing_says_what_is_wrong(source: str, body: Any, says: str) -> None:
    assert says in why(source, body)

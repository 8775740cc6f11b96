"""The operations with which monitoring reports alerts."""

from __future__ import annotations

from typing import Any

from dispatcher.alerts.sources import generic, mapping
from dispatcher.model.alert import AlertState
from workers.gateway import traced
from workers.gateway.api import problem_examples
from workers.gateway.api.limits import ALERTS
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.problem_examples import JOB_ID
from workers.gateway.api.schema_words import Schema, object_, text, values
from workers.gateway.middleware import Limit

_ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "db1", "severity": "critical"},
    "annotations": {"summary": "Disk full on db1"},
    "startsAt": "2026-11-23T10:02:11.020Z",
    "fingerprint": "efb0c6c488e007da",
}
_MONITOR = {"id": 29, "name": "Shop", "url": "https://example.com/shop"}
_EXAMPLES: dict[str, Any] = {
    "alertmanager": {"version": "4", "status": "firing", "alerts": [_ALERT]},
    "grafana": {"version": "1", "status": "firing", "alerts": [_ALERT]},
    "uptime-kuma": {
        "heartbeat": {"monitorID": 29, "status": 0, "msg": "timeout"},
        "monitor": _MONITOR,
        "msg": "[Shop] [Down] timeout",
    },
    "healthchecks": {"code": "5f1e1f7c-3f8e-4f7e-9f3e-0a1b2c3d4e5f", "status": "down"},
    "zabbix": {"event_id": "4711", "value": "1", "severity": "4", "name": "Disk full"},
    "generic": {"id": "disk-db1", "summary": "Disk full on db1", "severity": "critical"},
}
_ABOUT = {
    "alertmanager": "Take in what Alertmanager's webhook sends: a group, each alert by itself.",
    "grafana": "Take in what a contact point of Grafana's alerting sends.",
    "uptime-kuma": "Take in what a webhook of Uptime Kuma sends, as `application/json`.",
    "healthchecks": "Take in what a webhook of Healthchecks sends, with the documented body.",
    "zabbix": "Take in what Zabbix sends by the documented media type.",
    "generic": "Take in any JSON. Expressions (JMESPath) in the query say where the parts stand.",
}
_PARTS = {
    generic.ALERTS: "The list of alerts in the body; the others are looked for in each of them.",
    "id": "What the alert is known by: the same in each report of it. Default: its summary.",
    "summary": "What is wrong, in a line.",
    "severity": "How bad it is.",
    "firing": "Whether it fires: true or false, or a word for it. Default: it does.",
    "started_at": "When it began: ISO 8601 with a zone, or seconds since the epoch.",
    "labels": "An object of texts, by which routes choose the chain.",
    "description": "Details, for those who look.",
    "link": "A page about it.",
}
_TAKEN = object_(
    {
        "id": text("The alert; null where nothing is kept of it."),
        "what": {
            "type": "string",
            "enum": ["new", "repeat", "again", "folded", "resolved", "not_called", "unknown"],
            "description": "`new`, `again` and `folded` ring, `folded` by the calls of a bundle."
            " `unknown`: something is over that was never reported.",
        },
        "state": {"type": "string", "enum": values(AlertState)},
        "bundle": text("The alert whose calls tell of it."),
    }
)
_ERROR = object_({"field": {"type": "string"}, "detail": {"type": "string"}})
_REPORTED = object_(
    {
        "alerts": {"type": "array", "items": _TAKEN, "description": "What became of each alert."},
        "refused": {"type": "array", "items": _ERROR, "description": "What was no alert, and why."},
        "ignored": {"type": "integer", "description": "What calls for nothing, such as a comment."},
    },
    required=["alerts", "refused", "ignored"],
)
_TAKEN_IN = {
    "alerts": [{"id": JOB_ID, "what": "new", "state": "ringing", "bundle": None}],
    "refused": [],
    "ignored": 0,
}
_BODY: Schema = {"type": "object", "description": "What the program sends."}
LIMIT: Limit = ALERTS


def about(source: str) -> str:
    """Return what the route of a source does."""
    return (
        f"{_ABOUT[source]}\n\nAnswered with 202, every alert in it is recorded and its calls are"
        " made, whatever happens after. It may be sent again: what is known already rings nobody."
        " What is answered with 4xx is kept for people to see, as many programs drop it."
    )


def report(source: str) -> dict[str, Any]:
    """Return what the decorator of a source's route takes."""
    made = operation(
        {202: answer("What became of each alert.", _REPORTED, _TAKEN_IN)},
        problem_examples.UNREADABLE,
        body=body_of(_BODY, _EXAMPLES[source]),
        parameters=[*(_parameters() if source == generic.NAME else []), traced.PARAMETER],
        status=202,
        limit=LIMIT,
    )
    made["responses"].pop(415)  # whatever it is called: some programs do not say that it is JSON
    return {**made, "name": f"report_{source.replace('-', '_')}"}


def _parameters() -> list[Schema]:
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": mapping.LONGEST},
            "description": said,
        }
        for name, said in _PARTS.items()
    ]

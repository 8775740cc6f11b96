"""The recipes of docs/how-to/monitoring.md, as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatcher.alerts.sources import generic
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.registry import SOURCES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "how-to/monitoring.md").read_text()
NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
MACROS = {
    "{EVENT.ID}": "4711",
    "{EVENT.VALUE}": "1",
    "{EVENT.UPDATE.STATUS}": "0",
    "{EVENT.NAME}": 'Disk "full"\n on db1',
    "{EVENT.NSEVERITY}": "5",
    "{HOST.NAME}": "db1",
    "{TRIGGER.ID}": "99",
    "{EVENT.TIMESTAMP}": "1795903041",
    "{EVENT.TAGSJSON}": '[{"tag":"team","value":"db"}]',
    "{EVENT.OPDATA}": "95 %",
}
"""What Zabbix fills in."""
ENGINE = """
var value = %s, sent = [], status = %d;
function HttpRequest() {
    this.addHeader = function (header) { sent.push(header); };
    this.post = function (url, body) { sent.push(url, body); return 'answer'; };
    this.getStatus = function () { return status; };
}
try { var said = (function () { %s })(); } catch (error) { said = 'error: ' + error; }
console.log(JSON.stringify([said, sent]));
"""
"""What Zabbix has its scripts run in, as far as ours uses it."""


def code(language: str, after: str) -> str:
    """Return the first block of code of a language below a heading."""
    found = re.search(rf"^## {after}$.*?^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def read(source: str, body: Any, **query: str) -> Reading:
    return SOURCES[source](body, Asked(NOW, query))


def test_the_body_for_healthchecks_is_read() -> None:
    body = code("json", "Healthchecks").strip()
    filled = {"$CODE": "5f1e", "$STATUS": "down", "$NAME_JSON": '"The \\"x\\""', "$TAGS": "db a=b"}
    for name, value in filled.items():
        body = body.replace(name, value)
    (event,) = read("healthchecks", json.loads(body)).events
    assert (event.fingerprint, event.summary, event.labels["a"]) == ("5f1e", 'The "x" is down', "b")


def test_the_form_of_its_own_is_read() -> None:
    (event,) = read("generic", json.loads(code("json", "Anything else"))).events
    assert event.labels["team"] == "db"
    assert event.annotations == {"description": "95 percent"}
    assert event.started_at
    assert event.link


def test_the_mapping_of_the_page_is_read() -> None:
    (query,) = re.findall(r"^https://voice\.example/v1/alerts/generic\?(.*)$", PAGE, re.MULTILINE)
    pairs = dict(each.partition("=")[::2] for each in query.split("&"))
    assert {*pairs} < {generic.ALERTS, *generic.PARTS}
    item = {"guid": 7, "title": "Load", "state": "bad", "node": {"name": "db1"}, "team": "db"}
    (event,) = read("generic", {"items": [item]}, **pairs).events
    assert (event.firing, event.labels["host"], event.labels["team"]) == (True, "db1", "db")


def media_type() -> dict[str, Any]:
    found = yaml.safe_load((DOCS / "examples" / "zabbix-media-type.yaml").read_text())
    (made,) = found["zabbix_export"]["media_types"]
    return dict(made)


def parameters(**changes: str) -> dict[str, str]:
    given = {each["name"]: each["value"] for each in media_type()["parameters"]}
    return {name: MACROS.get(value, value) for name, value in given.items()} | changes


def run(parameters: dict[str, str], status: int) -> tuple[str, list[str]]:
    """Run the media type's script as Zabbix does: a function, with its parameters as a text."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript engine (node) is on this machine")
    script = ENGINE % (json.dumps(json.dumps(parameters)), status, media_type()["script"])
    done = subprocess.run([node, "-e", script], capture_output=True, check=True, timeout=180)
    said, sent = json.loads(done.stdout)
    return said, sent


def test_the_media_type_of_zabbix_sends_what_is_read() -> None:
    said, sent = run(parameters(key="vd_x"), 202)
    assert said == "OK"
    kind, key, url, body = sent
    assert (kind, key) == ("Content-Type: application/json", "Authorization: Bearer vd_x")
    assert url.endswith("/v1/alerts/zabbix")
    assert "vd_x" not in body
    (event,) = read("zabbix", json.loads(body)).events
    assert (event.fingerprint, event.summary) == ("4711", 'Disk "full" on db1')
    assert event.labels["team"] == "db"
    over, _ = run(parameters(value="0"), 202)
    assert over == "OK"


def test_the_media_type_of_zabbix_fails_where_it_is_not_answered_well() -> None:
    """So that Zabbix tries again, and shows it."""
    said, _ = run(parameters(), 503)
    assert said == "error: the voice dispatcher answered 503: answer"


def test_every_parameter_of_the_media_type_is_a_macro_that_is_known() -> None:
    assert set(parameters().values()) - {*MACROS.values()} == {
        "https://voice.example/v1/alerts/zabbix",
        "vd_the_key",
    }

"""Writes voice-dispatcher.json, the dashboard for Grafana: `make dashboard`.

What is on it stands in panels.py; here is what Grafana wants around it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from deploy.grafana.panels import RED, ROWS, Panel

FILE: Final = Path(__file__).with_name("voice-dispatcher.json")
SCHEMA_VERSION: Final = 38
"""The form of dashboards of Grafana 10.1; later ones bring it up to date."""
COLUMNS: Final = 24
HEIGHT: Final = 7
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


def dashboard() -> Json:
    """Return the dashboard as Grafana imports it."""
    return {
        "uid": "voice-dispatcher",
        "title": "Voice dispatcher",
        "description": "Whether people are called: problems, pace, lateness, credit.",
        "tags": ["voice-dispatcher"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables())},
        "panels": list(_placed()),
    }


def _variables() -> Iterator[Json]:
    yield {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }
    for name in ("job", "namespace", "instance"):
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": DATASOURCE,
            "query": f"label_values(voice_dispatcher_info, {name})",
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
        }


def _placed() -> Iterator[Json]:
    """Yield rows and panels, each in its place, from left to right."""
    number, top = 0, 0
    for title, row in ROWS.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top},
        }
        top, left = top + 1, 0
        for panel in row:
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            number += 1
            yield _panel(panel, number, {"h": HEIGHT, "w": panel.width, "x": left, "y": top})
            left += panel.width
        top += HEIGHT


def _panel(panel: Panel, number: int, place: Json) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": list(_targets(panel)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        **_transformed(panel),
    }


def _targets(panel: Panel) -> Iterator[Json]:
    table = panel.kind == "table"
    for letter, (legend, ask) in zip("ABCDEF", panel.asks.items(), strict=False):
        at_once: Json = {"instant": True, "range": False} if table else {"range": True}
        yield {
            "refId": letter,
            "datasource": DATASOURCE,
            "expr": ask,
            "legendFormat": legend,
            **at_once,
            **({"format": "table"} if table else {}),
        }


def _defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit}
    if panel.empty:
        defaults["noValue"] = panel.empty
    if panel.limits:
        (_, first), *others = panel.limits
        steps: list[Json] = [{"color": RED if panel.words else first, "value": None}]
        shown = panel.limits if panel.words else others
        steps += [{"color": color, "value": value} for value, color in shown]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.words:
        words = {
            value: {"text": text, "color": color, "index": index}
            for index, (value, (text, color)) in enumerate(panel.words.items())
        }
        defaults["mappings"] = [{"type": "value", "options": words}]
    if panel.kind == "timeseries":
        stacked = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
        defaults["min"] = 0
        defaults["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 10,
            **(stacked if panel.stacked else {}),
        }
    return defaults


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if panel.kind == "stat":
        calculated = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": calculated, "colorMode": "background", "graphMode": "none"}
    return {"showHeader": False, "cellHeight": "sm"}


def _transformed(panel: Panel) -> Json:
    """Have a table show what its lines are called, and nothing else."""
    if panel.kind != "table":
        return {}
    (legend,) = panel.asks
    shown = {"include": {"names": [legend.strip("{}")]}}
    return {"transformations": [{"id": "filterFieldsByName", "options": shown}]}


def text() -> str:
    """Return the file's text."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())

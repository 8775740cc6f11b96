"""The dashboard for Grafana: as Grafana reads it, and of metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import dashboard
from deploy.grafana.panels import ROWS, Panel
from dispatcher.store import Store
from support.gateway_process import Gateway
from workers.gateway.latency import LABELS, NAME
from workers.gateway.metrics import METRICS

WRITTEN: dict[str, Any] = json.loads(dashboard.FILE.read_text())
PANELS = [panel for row in ROWS.values() for panel in row]
ASKS = [ask for panel in PANELS for ask in panel.asks.values()]
PROMTOOL = shutil.which("promtool")


def test_grafana_knows_every_field() -> None:
    """Its own model of dashboards reads the file and writes it again, and nothing is lost."""
    register_default_plugins()
    read = Dashboard.from_json(json.loads(dashboard.FILE.read_text()))
    again = json.loads(JSONEncoder(sort_keys=True).encode(read))
    assert missing(WRITTEN, again) == []


def missing(wanted: Any, found: Any, place: str = "") -> list[str]:
    """Return the places whose value one has and the other does not."""
    if isinstance(wanted, dict):
        inside = found if isinstance(found, dict) else {}
        return [
            each
            for name, value in wanted.items()
            for each in missing(value, inside.get(name), f"{place}.{name}")
        ]
    if isinstance(wanted, list):
        inside = found if isinstance(found, list) and len(found) == len(wanted) else []
        pairs = zip(wanted, inside or [None] * len(wanted), strict=True)
        return [
            each
            for number, (one, other) in enumerate(pairs)
            for each in missing(one, other, f"{place}[{number}]")
        ]
    return [] if wanted == found else [f"{place}: {wanted!r}, not {found!r}"]


def test_what_grafana_does_not_know_would_be_found() -> None:
    register_default_plugins()
    wrong = json.loads(dashboard.FILE.read_text())
    wrong["panels"][1]["fieldConfig"]["defaults"]["unti"] = "s"
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(wrong)))
    assert missing(wrong, again) == [".panels[1].fieldConfig.defaults.unti: 's', not None"]


@pytest.mark.skipif(not PROMTOOL, reason="there is no promtool here")
def test_prometheus_understands_every_question(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": ask.replace("$__rate_interval", "5m")}
        for number, ask in enumerate(ASKS)
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ASKS)} rules found" in done.stdout


def test_every_metric_is_one_that_the_gateway_tells(gateway: Gateway, store: Store) -> None:
    told = gateway.ask("GET", "/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", told, re.MULTILINE))
    names = {name for ask in ASKS for name in re.findall(r"voice_dispatcher_\w+", ask)}
    of_histograms = {
        f"{name}_{part}"
        for name, kind in kinds.items()
        if kind == "histogram"
        for part in ("bucket", "count", "sum")
    }
    assert len(names) > 20
    assert names - kinds.keys() - of_histograms == set()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_asks_by_labels_that_its_metrics_have(panel: Panel) -> None:
    labels = {metric.exposed: {*metric.labels} for metric in METRICS}
    labels |= {NAME: {*LABELS}, "voice_dispatcher_redis_up": set()}
    for legend, ask in panel.asks.items():
        names = re.findall(r"(voice_dispatcher_\w+)\{", ask)
        known = set().union(*(labels[re.sub("_(bucket|count)$", "", name)] for name in names))
        by = set(re.findall(r"\w+", " ".join(re.findall(r" by \(([^)]*)\)", ask))))
        used = set(re.findall(r"(\w+)(?:=~|=|!=)\"", ask)) - {"job", "namespace", "instance"}
        assert (by | used) - {"le"} <= known
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= by


def test_panels_say_what_they_show_and_stand_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in WRITTEN["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
        assert panel["type"] == "row" or len(panel["description"]) > 30
    ids = [panel["id"] for panel in WRITTEN["panels"]]
    assert len(set(ids)) == len(ids)

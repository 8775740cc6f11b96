"""The rules for Prometheus against what the running product told while each incident lasted."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatcher.problems.catalogue import CATALOGUE, Name
from incidents.causes import INCIDENTS
from incidents.page import page, with_tables
from incidents.recording import KEPT, Recording, recordings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "voice-dispatcher.rules.yml"
SLACK = 30
"""Seconds that an alert may take longer than it must."""
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: install the package prometheus"
)


def made_rules() -> str:
    """Return what deploy/prometheus/make_rules.py writes now."""
    found: dict[str, Any] = {"__name__": "make_rules", "__file__": str(FOLDER / "make_rules.py")}
    exec(compile((FOLDER / "make_rules.py").read_text(), "make_rules.py", "exec"), found)
    return str(found["rules"]())


def test_the_rules_are_those_of_the_catalogue() -> None:
    assert RULES.read_text() == made_rules(), "run `make rules`"
    alerts = [rule for rule in _rules() if "alert" in rule]
    summaries = {rule["annotations"]["summary"] for rule in alerts}
    assert {entry.summary for entry in CATALOGUE.values() if entry.severity} <= summaries
    assert len({rule["alert"] for rule in alerts}) == len(alerts)


def test_what_the_rules_read_is_what_is_recorded() -> None:
    read = {name for rule in _rules() for name in re.findall(r"voice_dispatcher_\w+", rule["expr"])}
    assert read == set(KEPT)


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _lasts(alert: str) -> int:
    (rule,) = (rule for rule in _rules() if rule.get("alert") == alert)
    return 60 * int(rule["for"].removesuffix("m"))


def test_each_incident_is_recorded() -> None:
    assert [path.stem for path in recordings()] == sorted(INCIDENTS)
    for path in recordings():
        made, incident = Recording.read(path), INCIDENTS[path.stem]
        assert made.problem == str(incident.problem or "")
        assert made.named.keys() >= {"doctor"} - ({"doctor"} if not incident.problem else set())
        assert made.named.keys() >= ({"page"} if incident.words else set())
    assert len([each for each in INCIDENTS.values() if each.problem]) == 12


def test_the_page_has_the_tables_of_the_catalogue_and_the_recordings() -> None:
    assert with_tables(page().read_text()) == page().read_text(), "run `make rules`"


def checks(made: Recording) -> dict[str, Any]:
    """Return a test for promtool: which alerts ever fired, and that the right one did in time."""
    samples = len(_samples(next(iter(made.series.values()))))
    end, within = (samples - 1) * made.interval, 0
    ever = f"max by (alertname) (max_over_time(ALERTS{{alertstate='firing'}}[{end}s]))"
    fired = [{"labels": f'{{alertname="{made.alert}"}}', "value": 1}] if made.alert else []
    found = [{"expr": ever, "eval_time": f"{end}s", "exp_samples": fired}]
    if made.alert:
        within = made.begins * made.interval + round(_first(made)) + _lasts(made.alert) + SLACK
        now = f"max by (alertname) (max_over_time(ALERTS{{alertstate='firing'}}[{within}s]))"
        found.append({"expr": now, "eval_time": f"{min(within, end)}s", "exp_samples": fired})
    return {
        "interval": f"{made.interval}s",
        "input_series": [{"series": s, "values": v} for s, v in made.series.items()],
        "promql_expr_test": found,
    }


def _first(made: Recording) -> float:
    """Return after how many seconds `doctor` knew it."""
    return made.named["doctor"]


def _samples(values: str) -> list[str]:
    """Return the samples of one series, one for each."""
    return [
        word.partition("x")[0]
        for word in values.split()
        for _ in range(int(word.partition("x")[2] or 0) + (not word.startswith("_x")))
    ]


def promtool(file: Path, every: str, tests: list[dict[str, Any]]) -> None:
    """Have promtool run these tests of the rules."""
    asked = {"rule_files": [str(RULES)], "evaluation_interval": every, "tests": tests}
    file.write_text(yaml.safe_dump(asked))
    argv = ["promtool", "test", "rules", file]
    ran = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_its_alert_fires_in_time_and_none_else(path: Path, tmp_path: Path) -> None:
    made = Recording.read(path)
    promtool(tmp_path / "test.yml", f"{made.interval}s", [checks(made)])


@needs_promtool
@pytest.mark.parametrize(
    "values",
    ["1x90", " ".join(["1 1 1 1 stale"] * 18) + " 1"],
    ids=["each scrape", "every fifth fails"],
)
def test_every_problem_has_its_alert_and_no_other(values: str, tmp_path: Path) -> None:
    """Each told by a dispatcher of its own, beside the incidents that were recorded."""
    ever = "max by (job, alertname) (max_over_time(ALERTS{alertstate='firing'}[90m]))"
    alerts = {
        name: "VoiceDispatcher" + "".join(word.capitalize() for word in name.split("_"))
        for name, entry in CATALOGUE.items()
        if entry.severity
    }
    told = [f'voice_dispatcher_problem{{job="{name}", problem="{name}"}}' for name in Name]
    up = [f'voice_dispatcher_redis_up{{job="{name}"}}' for name in Name]
    fired = [
        {"labels": f'{{job="{name}", alertname="{alert}"}}', "value": 1}
        for name, alert in alerts.items()
    ]
    check = {
        "interval": "60s",
        "input_series": [{"series": series, "values": values} for series in (*told, *up)],
        "promql_expr_test": [{"expr": ever, "eval_time": "90m", "exp_samples": fired}],
    }
    promtool(tmp_path / "test.yml", "60s", [check])

"""Writes voice-dispatcher.rules.yml, the rules for Prometheus, from the catalogue of problems.

An alert has the name and the words of the problem in `doctor` and the console. `make rules` runs
it after a change of the catalogue; a test holds both beside each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dispatcher.problems.catalogue import CATALOGUE, Entry, Name, Severity

RULES = Path(__file__).with_name("voice-dispatcher.rules.yml")
HEAD = "# Made by `make rules` from dispatcher/problems/catalogue.py. docs/ says how to use it.\n"
THROUGH = "3m"
"""How long what a gateway told holds: two scrapes of a minute, and some more."""
Rule = dict[str, Any]


def alert_name(name: str) -> str:
    """Return the alert of a problem: `no_beat` is VoiceDispatcherNoBeat."""
    return "VoiceDispatcher" + "".join(word.capitalize() for word in name.split("_"))


def rules() -> str:
    """Return the file. Each gateway tells of the whole account: the largest value is taken, not
    the sum.
    """
    problems = [_problem(name, entry) for name, entry in CATALOGUE.items() if entry.severity]
    groups = [
        {"name": "voice-dispatcher-records", "rules": _RECORDS},
        {"name": "voice-dispatcher-problems", "rules": problems},
        {"name": "voice-dispatcher-more", "rules": _MORE},
    ]
    text = yaml.safe_dump({"groups": groups}, sort_keys=False, width=110, allow_unicode=True)
    return HEAD + str(text)


def _alert(name: str, expression: str, entry: Entry) -> Rule:
    return {
        "alert": alert_name(name),
        "expr": expression,
        "for": f"{entry.minutes}m",
        "labels": {"severity": str(entry.severity)},
        "annotations": {"summary": entry.summary, "description": entry.remedy},
    }


def _problem(name: Name, entry: Entry) -> Rule:
    """Return the rule of a problem. A scrape that fails ends all series at once, and with them a
    `for`: what was told last holds for THROUGH, so that one that fails changes nothing.
    """
    told = f'last_over_time(voice_dispatcher_problem{{problem="{name}"}}[{THROUGH}])'
    return _alert(name, f"max by (job) ({told}) == 1", entry)


_ENDED = "rate(voice_dispatcher_jobs_ended_total[5m])"
_IN_AN_HOUR = "increase(voice_dispatcher_jobs_ended_total{{state{states}}}[1h])"


def _ended(states: str) -> str:
    return f"sum by (job) (max by (job, state, reason) ({_IN_AN_HOUR.format(states=states)}))"


_RECORDS: list[Rule] = [
    {
        "record": "voice_dispatcher:jobs_ended:rate5m",
        "expr": f"max by (job, state, reason) ({_ENDED})",
    },
    {
        "record": "voice_dispatcher:reached:ratio1h",
        "expr": " / ".join([_ended('="completed"'), _ended('!="cancelled"')]),
    },
]
_FIRST_RING = "rate(voice_dispatcher_alert_to_first_ring_seconds_bucket[15m])"
_MORE: list[Rule] = [
    _alert(
        "not_seen",
        "absent(voice_dispatcher_redis_up)",
        Entry(
            "No gateway answers",
            "Start `voice-dispatcher gateway`, or see why Prometheus does not reach it. Whether"
            " people are called is not known: `voice-dispatcher doctor` says.",
            Severity.CRITICAL,
        ),
    ),
    _alert(
        "alerts_ring_late",
        f"histogram_quantile(0.95, max by (job, le) ({_FIRST_RING})) > 10",
        Entry(
            "Alerts ring late: the first calls come after more than 10 s",
            "`voice-dispatcher why` says of each what it waited for.",
            Severity.WARNING,
        ),
    ),
    _alert(
        "calls_are_unusual",
        "max by (job, kind) (increase(voice_dispatcher_unusual_total[15m])) > 0",
        Entry(
            "Calls are unusual: {{ $labels.kind }}",
            "A stolen key or a mistake may make these calls. Look at the latest jobs and their"
            " producers.",
            Severity.WARNING,
            minutes=0,
        ),
    ),
]


if __name__ == "__main__":
    RULES.write_text(rules())

"""How panels ask Prometheus for a metric of the chosen gateways."""

from __future__ import annotations

from typing import Final

CHOSEN: Final = 'job=~"$job",namespace=~"$namespace",instance=~"$instance"'
"""Which gateways are asked. Each tells of the whole account, so that one of them is enough."""


def of(name: str, *labels: str) -> str:
    """Return the series of a metric, of the chosen gateways: `of("jobs", 'state="held"')`."""
    return f"voice_dispatcher_{name}{{{','.join((CHOSEN, *labels))}}}"


def now(name: str, *labels: str, by: str = "") -> str:
    """Return how a gauge stands: all gateways tell the same."""
    return f"max{_by(by)}({of(name, *labels)})"


def pace(name: str, *labels: str, by: str = "", over: str = "$__rate_interval") -> str:
    """Return by how much a counter grows in a second: all gateways tell the same."""
    return f"max{_by(by)}(rate({of(name, *labels)}[{over}]))"


def ended(*labels: str) -> str:
    """Return how many jobs a second ended in the last 15 minutes."""
    return f"sum({pace('jobs_ended_total', *labels, by='state, reason', over='15m')})"


def quantile(share: float, name: str, by: str = "le") -> str:
    """Return within how many seconds such a share of what a histogram counts was done."""
    return f"histogram_quantile({share}, sum by ({by}) (rate({of(name)}[$__rate_interval])))"


def _by(labels: str) -> str:
    return f" by ({labels}) " if labels else ""

"""A metric: what it is, and how it is read from the statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

PREFIX = "voice_dispatcher_"
Found = Mapping[str, Any]
"""What `statistics` returns."""
Sample = tuple[tuple[str, ...], float]
"""The labels' values, and the value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: what it is, and how it is read from the statistics."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    read: Callable[[Found], Iterable[Sample]]
    labels: tuple[str, ...] = ()

    def family(self, found: Found) -> GaugeMetricFamily | CounterMetricFamily:
        """Return it with its samples."""
        make = GaugeMetricFamily if self.kind == "gauge" else CounterMetricFamily
        family = make(PREFIX + self.name, self.help, labels=self.labels)
        for labels, value in self.read(found):
            family.add_metric(labels, value)
        return family

    @property
    def exposed(self) -> str:
        """The name of its samples."""
        return PREFIX + self.name + ("_total" if self.kind == "counter" else "")


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long something took, in seconds; `read` finds its counts in the statistics."""

    name: str
    help: str
    read: Callable[[Found], Mapping[str, Any]]
    labels: tuple[str, ...] = ()
    kind: Literal["histogram"] = "histogram"

    def family(self, found: Found) -> HistogramMetricFamily:
        """Return it with its buckets, which add up."""
        told, seen, buckets = self.read(found), 0, list[tuple[str, float]]()
        for most, many in told["buckets"].items():
            seen += many
            buckets.append((str(float(most)), seen))
        buckets.append(("+Inf", told["count"]))
        family = HistogramMetricFamily(PREFIX + self.name, self.help)
        family.add_metric((), buckets, told["seconds"])
        return family

    @property
    def exposed(self) -> str:
        """The name that its samples begin with."""
        return PREFIX + self.name

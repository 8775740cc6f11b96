"""What `/metrics` said while something went wrong, as promtool reads series; kept as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from socket import gethostname

import yaml
from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).parent
JOB = "voice-dispatcher"
KEPT = (
    "voice_dispatcher_redis_up",
    "voice_dispatcher_problem",
    "voice_dispatcher_jobs_ended_total",
    "voice_dispatcher_unusual_total",
    "voice_dispatcher_alert_to_first_ring_seconds_bucket",
)
"""What the rules read."""
Scrape = dict[str, float] | None
"""Series -> value; None: nothing answered in time."""


@dataclass
class Recording:
    """`series` has for each series its values, one every `interval` seconds, as promtool writes
    them. At the sample `begins` the incident was brought about; `named` is after how many seconds
    each of those who tell of it did, and `problem` is its name; none where all went well.
    """

    name: str
    title: str
    how: str
    problem: str
    alert: str
    interval: int
    begins: int
    says: str = ""
    named: dict[str, float] = field(default_factory=dict)
    series: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Recording:
        return cls(**yaml.safe_load(path.read_text()))

    def write(self) -> None:
        """Write the file; the machine's name is left out."""
        self.says = self.says.replace(gethostname(), "host")
        text = yaml.safe_dump(asdict(self), sort_keys=False, width=10_000, allow_unicode=True)
        (HERE / f"{self.name}.yml").write_text(text)


def recordings() -> list[Path]:
    """Return the files, in the order in which people read of them."""
    return sorted(HERE.glob("*.yml"))


def scraped(text: str) -> dict[str, float]:
    """Return what of an exposition the rules read."""
    return {
        _series(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in KEPT
    }


def _series(name: str, labels: dict[str, str]) -> str:
    told = ", ".join(f'{key}="{value}"' for key, value in sorted({"job": JOB, **labels}.items()))
    return f"{name}{{{told}}}"


def compact(scrapes: Sequence[Scrape]) -> dict[str, str]:
    """Return all series of these scrapes, each as a text."""
    names = dict.fromkeys(name for each in scrapes for name in each or ())
    return {name: _values(each and each.get(name) for each in scrapes) for name in names}


def _values(values: Iterable[float | None]) -> str:
    """Return values as promtool reads them. What is gone is marked so, as Prometheus does."""
    parts: list[str] = []
    for value, run in groupby(values):
        many = len(list(run))
        if value is None:
            parts += ["stale", *(["_" if many == 2 else f"_x{many - 1}"] if many > 1 else [])]
        else:
            parts.append(f"{value:g}x{many - 1}" if many > 1 else f"{value:g}")
    return " ".join(parts)

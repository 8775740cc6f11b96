"""The account's books, kept a second time from the records alone: they must agree to the unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from dispatcher.model.states import WAITING
from support.store_jobs import CALLING, Snapshot, records, whole

UNITS = 10_000
Entry = tuple[str, int, int]
"""An attempt: its job, when that was made, its number."""


@dataclass
class Books:
    """What was seen of each attempt, and the records of jobs that are no longer there."""

    costs: dict[Entry, int] = field(default_factory=dict)
    gone: list[dict[str, str]] = field(default_factory=list)

    def look(self, found: Snapshot) -> None:
        self._note(found)
        credit = {name: int(text) for name, text in found.get("credit", {}).items()}
        assert credit.get("reserved", 0) == _reserved(found)
        assert credit.get("spent", 0) == sum(self.costs.values())
        assert credit.get("estimated", 0) >= 0
        assert sum(int(took) for took in found.get("burn", {}).values()) <= credit.get("spent", 0)
        _assert_waiting(found)
        everybody = [*records(found).values(), *self.gone]
        for scope in found.get("spending_limits", {}).keys() | {"account"}:
            if not scope.startswith("@"):
                _assert_used(found, scope, everybody)

    def forget(self, record: dict[str, str]) -> None:
        """The job of this record was removed."""
        self.gone.append(record)

    def _note(self, found: Snapshot) -> None:
        for id_, record in records(found).items():
            for number in range(1, int(record.get("attempts", 0)) + 1):
                if f"{number}.cost" in record:
                    entry = (id_, int(record["created"]), number)
                    units = round(Decimal(record[f"{number}.cost"]) * UNITS)
                    assert units >= self.costs.get(entry, 0)
                    self.costs[entry] = units


def _reserved(found: Snapshot) -> int:
    """Return what the calls under way have reserved: each job's latest attempt."""
    return sum(
        int(record.get(f"{record.get('attempts', 0)}.reserved", 0))
        for record in records(found).values()
        if record["state"] in CALLING
    )


def _assert_waiting(found: Snapshot) -> None:
    wanted = Counter(
        f"{record['state']}:{record['tariff']}"
        for record in records(found).values()
        if record["state"] in WAITING
    )
    waiting = {name: int(number) for name, number in found.get("waiting", {}).items()}
    assert {name: number for name, number in waiting.items() if number} == wanted


def _assert_used(found: Snapshot, scope: str, everybody: list[dict[str, str]]) -> None:
    """A limit counts each attempt dialled since it stands: its cost, or what is reserved for it."""
    _, since, period = found.get("spending_limits", {}).get(scope, "0 0 day").split()
    begins = int(since)
    if period == "day":
        begins = max(begins, int(found["spending_limits"]["@day"].split()[0]))
    used = sum(_uses(record, begins) for record in everybody if _in(scope, record))
    assert int(found.get(f"spent:{period}", {}).get(scope, 0)) == used, scope


def _uses(record: dict[str, str], begins: int) -> int:
    total = 0
    for number in range(1, int(record.get("attempts", 0)) + 1):
        if int(record[f"{number}.sent"]) >= begins:
            reserved = int(record.get(f"{number}.reserved", 0))
            cost = round(Decimal(record.get(f"{number}.cost", "0")) * UNITS)
            total += cost if f"{number}.cost" in record else reserved
    return total


def _in(scope: str, record: dict[str, str]) -> bool:
    kind, _, what = scope.partition(":")
    if kind == "tag":
        return what in whole(record, "tags").split(",")
    return kind == "account" or record["t0"].split(" ")[2] == what

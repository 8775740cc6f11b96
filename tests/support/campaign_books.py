"""What became of campaigns, counted a second time from the records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from support.store_jobs import Snapshot, records, whole

HOUR = 3_600_000
Record = Mapping[str, str]


def campaign_of(record: Record) -> str | None:
    """Return the name of the campaign that a raw record belongs to: that of its first such tag."""
    tags = whole(record, "tags").split(",")
    return next((tag[9:] for tag in tags if tag.startswith("campaign:") and tag[9:]), None)


def count(all_: Iterable[Record], gone: Iterable[Record] = ()) -> dict[str, Counter[str]]:
    """Return what became of each campaign by these records, and by those that were purged."""
    found: dict[str, Counter[str]] = {}
    for purged, some in ((0, all_), (1, gone)):
        for record in some:
            name = campaign_of(record)
            if name is not None:
                found.setdefault(name, Counter()).update(_of(record))
                found[name]["purged"] += purged
    return {name: +counts for name, counts in found.items()}


def counted(found: Snapshot) -> dict[str, Counter[str]]:
    """Return what Redis has counted of each campaign, by the same names."""
    return {
        name.removeprefix("campaign:"): +Counter(
            {**_numbers(counts), **_numbers(found.get(_hours(name), {}))}
        )
        for name, counts in found.items()
        if name.startswith("campaign:")
    }


def assert_counted(found: Snapshot, gone: Iterable[Record] = ()) -> None:
    """The counters say what the records say, of each campaign and of no other."""
    assert counted(found) == count(records(found).values(), gone)
    assert found.get("campaigns", {}).keys() == counted(found).keys()
    over = {name for name, one in counted(found).items() if one["jobs"] == one["purged"]}
    assert found.get("campaigns:over", {}).keys() == over


def _hours(name: str) -> str:
    return f"campaign_hours:{name.removeprefix('campaign:')}"


def _numbers(fields: Record) -> dict[str, int]:
    moments = ("begun", "first_dialled", "ended_at")
    return {
        name: int(number)
        for name, number in fields.items()
        if name not in moments and not name.startswith("minute:")
    }


def _of(record: Record) -> Counter[str]:
    kind = ":".join(part for part in (record["state"], record.get("reason", "")) if part)
    found = Counter({"jobs": 1, kind: 1})
    for number in range(1, int(record.get("attempts", 0)) + 1):
        found.update(_of_attempt(record, number))
    if kind == "completed":
        answered = int(record["created"]) + _ended(record)
        found.update([f"answered:{record['attempts']}", f"{answered // HOUR}:answered"])
    return found


def _of_attempt(record: Record, number: int) -> Counter[str]:
    sent = int(record[f"{number}.sent"])
    return Counter(
        {
            "attempts": 1,
            f"dialled:{min(number, 20)}": 1,
            f"{sent // HOUR}:dialled": 1,
            "spent": round(Decimal(record.get(f"{number}.cost", "0")) * 10_000),
            "talked": round(Decimal(record.get(f"{number}.duration", "0")) * 1000),
        }
    )


def _ended(record: Record) -> int:
    """Return when the job came to where it is, ms from its creation: later lines change nothing."""
    lines = (whole(record, f"t{n}").split(" ") for n in range(int(record["events"])))
    return next(int(at) for at, kind, *_ in lines if kind == "completed")

"""What became of campaigns, counted from the records of jobs: 0.1.0 did not count it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from dispatcher.model.campaign import HOURS_KEPT, LAST_ATTEMPT
from dispatcher.model.states import TERMINAL, State
from dispatcher.store.codec import Record
from dispatcher.store.schema import AttemptField, CampaignField, Field, attempt_field
from dispatcher.values.tariffs import to_units

HOUR = 3_600_000


@dataclass
class Count:
    """Counts as lua/lib/campaigns.lua does, a job at a time."""

    counts: Counter[str] = field(default_factory=Counter)
    hours: Counter[tuple[int, str]] = field(default_factory=Counter)
    moments: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count a job."""
        state, reason = record[Field.STATE], record.get(Field.REASON, "")
        self.counts.update([CampaignField.JOBS, f"{state}:{reason}" if reason else state])
        self._first(CampaignField.BEGUN, int(record[Field.CREATED]))
        last = int(record.get(Field.ATTEMPTS) or 0)
        for number in range(1, last + 1):
            self._add_attempt(record, number)
        if state in TERMINAL:
            self._end(record, last, answered=state == State.COMPLETED and not reason)

    def fields(self) -> dict[str, int]:
        """Return what stands of the campaign."""
        return {**self.counts, **self.moments}

    def hour_fields(self) -> dict[str, int]:
        """Return what stands of its hours, the latest."""
        first = max((hour for hour, _ in self.hours), default=0) - HOURS_KEPT
        return {f"{hour}:{what}": n for (hour, what), n in self.hours.items() if hour > first}

    def _first(self, what: str, at: int) -> None:
        self.moments[what] = min(at, self.moments.get(what, at))

    def _add_attempt(self, record: Record, number: int) -> None:
        def get(name: AttemptField) -> str:
            return record.get(attempt_field(number, name)) or "0"

        sent = int(record[Field.CREATED]) + int(get(AttemptField.SENT))
        n = min(number, LAST_ATTEMPT)
        self.counts.update([CampaignField.ATTEMPTS, f"{CampaignField.DIALLED}:{n}"])
        self.counts[CampaignField.SPENT] += to_units(Decimal(get(AttemptField.COST)))
        self.counts[CampaignField.TALKED] += round(float(get(AttemptField.DURATION)) * 1000)
        self.hours[sent // HOUR, CampaignField.DIALLED] += 1
        self._first(CampaignField.FIRST_DIALLED, sent)

    def _end(self, record: Record, last: int, *, answered: bool) -> None:
        at = int(record[Field.CREATED]) + int(record[Field.FINISHED])
        self.moments[CampaignField.ENDED] = max(at, self.moments.get(CampaignField.ENDED, 0))
        if answered:
            self.counts[f"{CampaignField.ANSWERED}:{min(last, LAST_ATTEMPT)}"] += 1
            self.hours[at // HOUR, CampaignField.ANSWERED] += 1

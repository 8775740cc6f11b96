"""What became of a campaign: the jobs that share a tag `campaign:NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.job import iso
from dispatcher.model.states import CALLING, WAITING, State
from dispatcher.model.tags import CAMPAIGN, tag
from dispatcher.values.masking import mask_text

LAST_ATTEMPT = 20
"""The last number of attempt that is counted by itself: it stands for all later ones, too."""
HOURS_KEPT = 744
"""For how many hours is known how many calls there were in each: 31 days."""
MINUTES = 10
"""The pace is that of the latest minutes, so many."""


class UnknownCampaign(DispatcherError, LookupError):
    """No job ever had such a tag, or its summary is past its retention."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no campaign {mask_text(name)[:60]!r}: check the name; its retention may be"
            " over"
        )


class InvalidCampaign(UsageError, ValueError):
    """The text cannot be the name of a campaign; the message says why."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that were dialled, and how many of these were answered."""

    dialled: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands. Moments are aware and UTC, durations in seconds.

    `counts` says how many jobs are where: (state, reason) -> how many, with '' for no reason; of
    a held job the reason is its hold's. Jobs whose records were purged count on as they ended.
    """

    name: str
    jobs: int
    """Jobs that were accepted."""
    purged: int
    """Those of them whose records are gone."""
    counts: Mapping[tuple[State, str], int]
    attempts: int
    talked: float
    """Seconds that were talked in all."""
    credits: Decimal
    """What all calls cost, as far as that is known."""
    by_attempt: Mapping[int, Calls]
    """The first attempts, the second, …; LAST_ATTEMPT stands for all later ones as well."""
    by_hour: Mapping[datetime, Calls] | None
    """By the hour of the call, and of the answer, the earliest first; None in lists."""
    first_at: datetime | None
    """When the first job was accepted."""
    dialled_at: datetime | None
    """When the first call was dialled."""
    ended_at: datetime | None
    """When a job ended last."""
    pace: float
    """Jobs that end in a minute, by the latest MINUTES."""
    at: datetime
    """When all this was so."""

    @property
    def tag(self) -> str:
        """The tag that its jobs share."""
        return f"{CAMPAIGN}{self.name}"

    @property
    def waiting(self) -> int:
        """Jobs that wait to be dialled, held ones among them."""
        return self.of(*WAITING)

    @property
    def in_progress(self) -> int:
        """Jobs whose call is under way, or may be."""
        return self.of(*CALLING)

    @property
    def answered(self) -> int:
        """Jobs whose call was answered."""
        return self.counts.get((State.COMPLETED, ""), 0)

    @property
    def marked_reached(self) -> int:
        """Jobs of which a person said that they reached somebody."""
        return self.of(State.COMPLETED) - self.answered

    @property
    def not_answered(self) -> int:
        """Jobs that ended because nobody answered."""
        return self.counts.get((State.FAILED, "no_answer"), 0)

    @property
    def failed(self) -> dict[str, int]:
        """Jobs that failed, by reason, those that nobody answered and the not allowed too."""
        return {
            reason: many for (state, reason), many in self.counts.items() if state is State.FAILED
        }

    @property
    def held(self) -> dict[str, int]:
        """Jobs that a hold keeps, by its reason."""
        return {
            reason: many for (state, reason), many in self.counts.items() if state is State.HELD
        }

    @property
    def expected_end(self) -> datetime | None:
        """When the last job will have ended at this pace; None where nothing moves or is left."""
        left = self.waiting + self.in_progress
        if not left or not self.pace:
            return None
        return self.at + timedelta(minutes=min(left / self.pace, _FURTHEST_MINUTES))

    def of(self, *states: State) -> int:
        """Return how many jobs are in one of these states, whatever the reason."""
        return sum(many for (state, _), many in self.counts.items() if state in states)

    def to_dict(self, *, mask: bool = False) -> dict[str, Any]:
        """Return the campaign as JSON knows it; `mask` hides numbers in its name."""
        return {
            "name": mask_text(self.name) if mask else self.name,
            "tag": mask_text(self.tag) if mask else self.tag,
            "jobs": self.jobs,
            "purged": self.purged,
            "waiting": self.waiting,
            "in_progress": self.in_progress,
            "answered": self.answered,
            "marked_reached": self.marked_reached,
            "not_answered": self.not_answered,
            "not_allowed": self.failed.get("not_allowed", 0),
            "expired": self.of(State.EXPIRED),
            "cancelled": self.of(State.CANCELLED),
            "failed": self.failed,
            "held": self.held,
            "attempts": self.attempts,
            "talked": self.talked,
            "credits": float(self.credits),
            "by_attempt": [{"attempt": n, **_calls(c)} for n, c in self.by_attempt.items()],
            **({} if self.by_hour is None else {"by_hour": _hours(self.by_hour)}),
            "first_at": iso(self.first_at),
            "dialled_at": iso(self.dialled_at),
            "ended_at": iso(self.ended_at),
            "pace": self.pace,
            "expected_end": iso(self.expected_end),
            "at": iso(self.at),
        }


_FURTHEST_MINUTES = 1_000_000.0


def campaign_name(text: str) -> str:
    """Return the name of a campaign, from itself or its tag. Raises InvalidCampaign."""
    name = text.strip().removeprefix(CAMPAIGN)
    try:
        return tag(f"{CAMPAIGN}{name}").removeprefix(CAMPAIGN)
    except ValueError as error:
        raise InvalidCampaign(str(error)) from None


def campaign_of_tag(text: str) -> str:
    """Return the name of the campaign that a tag is of. Raises InvalidCampaign."""
    if not text.strip().startswith(CAMPAIGN):
        raise InvalidCampaign(
            f"{mask_text(text)[:60]!r} is not the tag of a campaign, and others are not counted:"
            " give campaign:NAME, or list jobs with the tag"
        )
    return campaign_name(text)


def pace(minutes: Mapping[int, int], since: datetime | None, now: datetime) -> float:
    """Return how many jobs ended in a minute: minute since the epoch -> how many ended in it.

    `since` is the first call: from then on it counts, where it is not as long ago as MINUTES.
    """
    this = int(now.timestamp()) // 60
    first = this - MINUTES + 1
    begins = max(first * 60.0, since.timestamp() if since else 0.0)
    lasted = max(now.timestamp() - begins, 60.0) / 60
    ended = sum(many for minute, many in minutes.items() if first <= minute <= this)
    return round(ended / lasted, 2)


def hour_of(hours: int) -> datetime:
    """Return the moment so many hours after the epoch."""
    return datetime.fromtimestamp(hours * 3600, UTC)


def _hours(calls: Mapping[datetime, Calls]) -> list[dict[str, Any]]:
    return [{"at": iso(at), **_calls(each)} for at, each in calls.items()]


def _calls(calls: Calls) -> dict[str, int]:
    return {"dialled": calls.dialled, "answered": calls.answered}

"""What a campaign's page draws: the way from accepted to answered, and answers by the hour of the
day. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.model.campaign import Calls, Campaign
from dispatcher.model.states import State

HOURS, HEIGHT, STEP, WIDTH = 24, 100, 25, 20
"""The drawing of the hours: how many, how high, how far apart bars are, and how wide."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some jobs of a campaign: what they are, how many, which `share` of all (0 to 1), the class of
    their bar, and how many of these for each reason.
    """

    name: str
    many: int
    share: float
    series: str
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """Calls that began in an hour of the day, and those that were answered in it; where its bars
    stand in a drawing of HOURS * STEP by HEIGHT.
    """

    hour: int
    calls: Calls
    x: int
    dialled: float
    answered: float

    @property
    def share(self) -> float | None:
        """How many of the calls were answered, from 0 to 1; None without any."""
        return share(self.calls.answered, self.calls.dialled) if self.calls.dialled else None


def share(many: float, of: float) -> float:
    """Return how much of the whole it is, from 0 to 1."""
    return min(1.0, many / of) if of else 0.0


def dialled(campaign: Campaign) -> int:
    """Return how many jobs were dialled once or more often."""
    return campaign.by_attempt[1].dialled if 1 in campaign.by_attempt else 0


def funnel(campaign: Campaign) -> list[Part]:
    """Return the way of the jobs: accepted, dialled, answered."""
    steps = (
        ("Accepted", campaign.jobs, "used"),
        ("Dialled once or more", dialled(campaign), "used"),
        ("Answered", campaign.answered, "answered"),
    )
    return [_part(campaign, *step, {}) for step in steps]


def outcomes(campaign: Campaign) -> list[Part]:
    """Return where the jobs are now; each is in one part."""
    return [_part(campaign, *row) for row in _rows(campaign)]


def _rows(campaign: Campaign) -> Iterator[tuple[str, int, str, Mapping[str, int]]]:
    failed = {reason: many for reason, many in campaign.failed.items() if reason != "no_answer"}
    held = {f"held: {reason}": many for reason, many in campaign.held.items()}
    yield "Waiting", campaign.waiting, "used", held
    yield "Being called", campaign.in_progress, "used", {}
    yield "Answered", campaign.answered, "answered", {}
    if campaign.marked_reached:
        yield "Marked as reached", campaign.marked_reached, "answered", {}
    yield "Not answered", campaign.not_answered, "unanswered", {}
    yield "Failed", sum(failed.values()), "failed", failed
    yield "Deadline passed", campaign.of(State.EXPIRED), "failed", {}
    yield "Cancelled", campaign.of(State.CANCELLED), "cancelled", {}


def _part(
    campaign: Campaign, name: str, many: int, series: str, reasons: Mapping[str, int]
) -> Part:
    return Part(name, many, share(many, campaign.jobs), series, reasons)


def hours_of_day(by_hour: Mapping[datetime, Calls] | None, zone: ZoneInfo) -> list[HourOfDay]:
    """Return the calls of all days by the hour of the day in a zone, from 0 to 23."""
    added = dict.fromkeys(range(HOURS), Calls())
    for at, calls in (by_hour or {}).items():
        hour = at.astimezone(zone).hour
        sofar = added[hour]
        added[hour] = Calls(sofar.dialled + calls.dialled, sofar.answered + calls.answered)
    most = max(max(each.dialled, each.answered) for each in added.values())
    return [_hour(hour, calls, most) for hour, calls in added.items()]


def _hour(hour: int, calls: Calls, most: int) -> HourOfDay:
    heights = (HEIGHT * share(many, most) for many in (calls.dialled, calls.answered))
    return HourOfDay(hour, calls, hour * STEP, *heights)

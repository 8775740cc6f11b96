"""Problems of the calls themselves: late, slow, or in vain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from dispatcher.model.alert import AlertState
from dispatcher.model.callbacks_seen import ENOUGH
from dispatcher.model.campaign import Campaign
from dispatcher.model.states import Priority, Reason, State
from dispatcher.problems.catalogue import Name
from dispatcher.problems.of_holds import scope_of
from dispatcher.problems.problem import Level, Problem, problem
from dispatcher.problems.snapshot import Snapshot
from dispatcher.store.statistics import Minute
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken
from dispatcher.values.rate import Rate

NOBODY_DIALS = 30.0
"""Seconds that the oldest waits although the limiter has room, and in which no request went out:
workers look four times a second.
"""
LATE = 60.0
"""Seconds that an urgent job may stand in line, or a scheduled one be past its time."""
FEW = 5
"""Ends of an hour from which a share of failures says something."""
FEW_OF_CAMPAIGN = 20
"""The same, of the jobs of a campaign."""
SLOW = 0.5
"""The part of the rate that is set, below which the provider takes too little of it."""
GROWS_FOR = 5
"""Minutes, in each of which more must come than is dialled, until lines grow."""
DRAINS_WITHIN = 3600.0
"""Seconds within which lines may be emptied without anybody's care."""


def dialling(now: Snapshot) -> Iterator[Problem]:
    """Somebody waits for too long, or more and more do. Where nobody can dial, that is told."""
    if not (_all_held(now) or _without_workers(now)):
        yield from _nobody_dials(now) or [*_urgent(now), *_scheduled(now)]
        yield from _growing(now)


def _all_held(now: Snapshot) -> bool:
    return any(not scope_of(hold) for hold in now.holds)


def _without_workers(now: Snapshot) -> bool:
    return now.roll is not None and not now.roll.working


def _nobody_dials(now: Snapshot) -> list[Problem]:
    """Somebody waits, nothing holds them, the limiter has room, and yet nobody dials."""
    oldest, pace = now.oldest, now.pace
    waited = 0.0 if oldest is None else (now.now - oldest) / 1000
    busy = pace.next_slot > 0 or pace.connections or pace.idle <= NOBODY_DIALS
    if waited <= NOBODY_DIALS or not now.ready or busy:
        return []
    says = "jobs are ready, and the rate allows it"
    more = {"since": oldest, "waiting": now.ready, "link": "state=queued"}
    return [problem(Level.BAD, Name.NOBODY_DIALS, says, **more)]


def _urgent(now: Snapshot) -> Iterator[Problem]:
    waited = now.late.get(Priority.URGENT, 0.0)
    if waited > LATE:
        says = f"the oldest has stood in line for {spoken(waited)}"
        more = {"since": now.now - waited * 1000, "waiting": now.pace.ready[Priority.URGENT]}
        yield problem(Level.BAD, Name.URGENT_LATE, says, link="state=queued", **more)


def _scheduled(now: Snapshot) -> Iterator[Problem]:
    past = now.late.get(State.SCHEDULED, 0.0)
    if past > LATE:
        says = f"the oldest is {spoken(past)} past its time"
        yield problem(Level.BAD, Name.SCHEDULED_LATE, says, since=now.now - past * 1000)


def _growing(now: Snapshot) -> Iterator[Problem]:
    """A campaign that is enqueued at once is a long line, and no problem: it grows shorter."""
    lengths, drain = now.line_lengths[-GROWS_FOR - 1 :], now.drain or 0.0
    rises = all(before < after for before, after in pairwise(lengths))
    if len(lengths) > GROWS_FOR and rises and drain > DRAINS_WITHIN:
        says = f"{counted(now.ready, 'job')} in line, which take {spoken(drain)} at this rate"
        yield problem(Level.WARN, Name.LINES_GROW, says, waiting=now.ready, link="state=queued")


def throttled(now: Snapshot) -> Iterator[Problem]:
    """The provider takes far fewer requests than it is to get."""
    asked, taken = now.pace.rate, now.rate
    if asked and taken and taken < SLOW * asked:
        says = f"{Rate(float(f'{taken:.2g}'))} instead of {Rate(asked, now.pace.period)}"
        yield problem(Level.WARN, Name.THROTTLED, says, waiting=now.ready or None)


def callbacks(now: Snapshot) -> Iterator[Problem]:
    """Without callbacks, silence says nothing of a call whose answer was lost."""
    seen = now.callbacks
    if seen.missing >= ENOUGH:
        last = "the start" if seen.last is None else spoken_ago(now.now - seen.last)
        says = f"{counted(seen.missing, 'call')} ended, and none came since {last}"
        yield problem(Level.BAD, Name.CALLBACKS_MISSING, says, since=seen.last)
    elif seen.broken:
        says = "a worker's own request to the public URL fails, and came through before"
        yield problem(Level.BAD, Name.CALLBACKS_MISSING, says, since=seen.test_failed)


def spoken_ago(milliseconds: float) -> str:
    """Return how long ago something was, as people say it."""
    return f"{spoken(max(1.0, milliseconds / 1000))} ago"


def failing(now: Snapshot) -> Iterator[Problem]:
    """Most calls did not get through, for other reasons than nobody at home."""
    campaigns = [each for each in now.campaigns if _is_lately(each) and _fails(each)]
    yield from map(_of_campaign, campaigns)
    total, bad = tried(now.minutes), sum(map(_in_vain, now.minutes))
    if not campaigns and total >= FEW and bad * 2 > total:
        says = f"{bad:,} of {total:,} in the last hour"
        yield problem(Level.WARN, Name.CALLS_FAIL, says, link="state=failed&since=1h")


def _in_vain(minute: Minute) -> int:
    return sum(
        many
        for kind, many in minute.outcomes.items()
        if kind.startswith(State.FAILED) and not kind.endswith(Reason.NO_ANSWER)
    )


def _is_lately(campaign: Campaign) -> bool:
    return bool(campaign.ended_at and campaign.at - campaign.ended_at < timedelta(hours=1))


def _vain_reasons(campaign: Campaign) -> dict[str, int]:
    return {reason: n for reason, n in campaign.failed.items() if reason != Reason.NO_ANSWER}


def _ended(campaign: Campaign) -> int:
    return campaign.of(State.COMPLETED, State.FAILED, State.EXPIRED)


def _fails(campaign: Campaign) -> bool:
    bad = sum(_vain_reasons(campaign).values())
    return _ended(campaign) >= FEW_OF_CAMPAIGN and bad * 2 > _ended(campaign)


def _of_campaign(campaign: Campaign) -> Problem:
    reasons = _vain_reasons(campaign)
    bad, most = sum(reasons.values()), max(reasons, key=lambda reason: reasons[reason])
    says = f"{campaign.name}: {bad:,} of {_ended(campaign):,}, most of them {most}"
    link = f"state=failed&tag={campaign.tag}"
    return problem(Level.WARN, Name.CAMPAIGN_FAILS, says, link=link)


def tried(minutes: list[Minute]) -> int:
    """How many jobs ended otherwise than by request."""
    return sum(
        many
        for minute in minutes
        for kind, many in minute.outcomes.items()
        if not kind.startswith(State.CANCELLED)
    )


def answered(minutes: list[Minute]) -> int:
    """How many jobs ended with somebody reached."""
    return sum(
        many
        for minute in minutes
        for kind, many in minute.outcomes.items()
        if kind.startswith(State.COMPLETED)
    )


def unknown(now: Snapshot) -> Iterator[Problem]:
    """Calls that may have been placed, and nobody will ever know by themselves."""
    many = now.jobs.get(State.FAILED, {}).get(Reason.OUTCOME_UNKNOWN, 0)
    if many:
        link = f"state=failed&reason={Reason.OUTCOME_UNKNOWN}"
        says = f"{counted(many, 'job')} without a known outcome"
        yield problem(Level.WARN, Name.OUTCOME_UNKNOWN, says, link=link)


def webhooks(now: Snapshot) -> Iterator[Problem]:
    """Receivers that were never told."""
    if now.dead_webhooks:
        says = f"{now.dead_webhooks:,} were given up"
        yield problem(Level.WARN, Name.WEBHOOKS_DEAD, says)


def alerts(now: Snapshot) -> Iterator[Problem]:
    """Incidents that nobody has, or that somebody is called for now."""
    if unreached := now.alerts.get(AlertState.UNREACHED, 0):
        what = f"Nobody could be reached for {counted(unreached, 'alert')}"
        link = f"state={AlertState.UNREACHED}"
        yield problem(Level.BAD, Name.ALERT_UNREACHED, what=what, alerts=link)
    if ringing := now.alerts.get(AlertState.RINGING, 0):
        rings, it = ("rings", "it") if ringing == 1 else ("ring", "them")
        what = f"{counted(ringing, 'alert')} {rings}, and nobody has {it} yet"
        link = f"state={AlertState.RINGING}"
        yield problem(Level.WARN, Name.ALERTS_RING, what=what, alerts=link)

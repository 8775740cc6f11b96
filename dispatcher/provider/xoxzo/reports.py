"""What Xoxzo reports of a call, in words of our own."""

from __future__ import annotations

from dispatcher.model.call import CallReport, Leg
from dispatcher.model.outcome import Outcome, of_conference
from dispatcher.provider.xoxzo.answers import CallStatus, ConferenceStatus
from dispatcher.provider.xoxzo.rules import STATUS

_OUTCOMES = {word: outcome for outcome, word in STATUS.items()}


def outcome(word: str, *, ended: bool) -> Outcome:
    """Return what a status word means; `ended`: something else says that the call is over.

    A word that is not documented tells nothing by itself. Where the call is over, nobody is known
    to have been reached.
    """
    return _OUTCOMES.get(word, Outcome.NO_ANSWER if ended else Outcome.IN_PROGRESS)


def of_call(call: CallStatus, *, ended: bool = False) -> CallReport:
    """Return the report of one call; an end time says that it is over, as `ended` does."""
    return CallReport(
        outcome(call.status, ended=ended or call.end_time is not None),
        call.status,
        call.callid,
        call.cost,
        call.duration,
        call.start_time,
        call.end_time,
    )


def of_whole(conference: ConferenceStatus) -> CallReport:
    """Return the report of a conference as a whole, with each participant's call.

    Xoxzo has no word for the whole: it gets the one that its outcome has for a call.
    """
    ended = conference.end_time is not None
    calls = [of_call(call, ended=ended) for call in conference.participants]
    whole = of_conference([call.outcome for call in calls])
    return CallReport(
        whole,
        STATUS[whole],
        cost=conference.cost,
        duration=conference.duration,
        started_at=conference.start_time,
        ended_at=conference.end_time,
        legs=tuple(_leg(call) for call in conference.participants),
    )


def _leg(call: CallStatus) -> Leg:
    """Return a participant's call; a number may be told without its plus."""
    digits = "".join(filter(str.isdigit, call.recipient))
    number = f"+{digits}" if digits else ""
    return Leg(call.callid, number, call.status, call.cost, call.duration)

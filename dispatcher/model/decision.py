"""What becomes of an attempt, as the policy decides it and the store writes it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.sent import Sent
from dispatcher.model.states import Reason, State


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an attempt, and what is kept of it. Durations in seconds, from now.

    `result` is kept with the attempt; `delay` is for the states in which something happens next;
    `spent` says that a call may have been placed, and the attempt counts; `hold` is started first,
    if any (`credit`: of all calls, or of those of its tariff); `throttled` is for how long the
    whole account waits after a 429 (`wait_told`: as the provider said), and `required` the credits
    that a call needs.
    `proves` are the reasons of holds that the answer shows to be over; `failure` is one of the
    provider: `clear` where nobody was called, `unclear` where nobody knows.
    `call` is the call that the attempt is known to have made, `report` what is kept of how it
    ended, and `cost_check_after` the wait until a cost is asked for that the end did not
    tell. `refused_language` is what the provider does not speak, for any job. `sent` is how the
    request went, for the limiter; None where it was never sent, or there is no limit.
    """

    to: State
    result: str
    why: str
    reason: str = ""
    delay: float | None = None
    spent: bool = True
    hold: str = ""
    throttled: float | None = None
    wait_told: bool = False
    required: Decimal | None = None
    proves: tuple[Reason, ...] = ()
    failure: Literal["clear", "unclear"] | None = None
    call: CallRef | None = None
    report: CallReport | None = None
    cost_check_after: float | None = None
    refused_language: str = ""
    sent: Sent | None = None

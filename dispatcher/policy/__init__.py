"""What follows an answer, an error, a report or silence: pure functions to frozen decisions."""

from __future__ import annotations

from dispatcher.model.decision import Decision
from dispatcher.policy.answers import (
    after_error,
    after_placing,
    backoff,
    hold_for,
    no_caller,
    too_few_replicas,
)
from dispatcher.policy.bounds import possible
from dispatcher.policy.defaults import DEFAULTS, Policy
from dispatcher.policy.polling import UNKNOWN_FOR, first_check, next_check
from dispatcher.policy.reports import (
    COST_LOOKS,
    after_evidence,
    after_report,
    hides_length,
    next_cost_look,
)
from dispatcher.policy.uncertainty import (
    after_deadline,
    after_window,
    reports_end,
    rests_on_silence,
)

__all__ = [
    "COST_LOOKS",
    "DEFAULTS",
    "UNKNOWN_FOR",
    "Decision",
    "Policy",
    "after_deadline",
    "after_error",
    "after_evidence",
    "after_placing",
    "after_report",
    "after_window",
    "backoff",
    "first_check",
    "hides_length",
    "hold_for",
    "next_check",
    "next_cost_look",
    "no_caller",
    "possible",
    "reports_end",
    "rests_on_silence",
    "too_few_replicas",
]

"""What may be asked of a store, by random: requests, reports, errors, rules, scopes of pauses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Priority
from dispatcher.policy import Policy
from dispatcher.provider import (
    AnswerLost,
    BadCredentials,
    InvalidRequest,
    NeverReached,
    NotAllowed,
    NotEnoughCredits,
    ProviderError,
    Throttled,
    Unavailable,
)
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import Period, SpendingLimit
from support.reports import ended
from support.store_jobs import RECIPIENT

LEASE, WINDOW, TAKEN_FOR = 30, 300, 60
POLICY = Policy(max_attempts=2, redial=1, evidence_window=WINDOW)
ERRORS: list[ProviderError] = [
    AnswerLost("the answer was lost; " * 5),
    InvalidRequest("400"),
    NotAllowed("country"),
    Unavailable("503"),
    Throttled("429", retry_after=2),
    Throttled("429"),
    NeverReached("refused"),
    NotEnoughCredits("403", required=Decimal(60)),
    BadCredentials("401"),
]
REPORTS = [
    ended("ANSWERED", Decimal("7.5003"), 12),
    ended("ANSWERED", None, 12),
    ended("NO ANSWER", Decimal(0)),
    ended("FAILED"),
]
FINAL = st.sampled_from(REPORTS)
WORDS = st.sampled_from(["death", "deadline", "RINGING", *REPORTS])
NUMBERS = [RECIPIENT, "+818011234568", "+14155550123"]
SPENDING = AccountConfig(breaker=1000, spend_per_day=1e9, expected_cost=3.0001)
PROTECTION = [
    replace(SPENDING, one_at_a_time=False),
    replace(SPENDING, one_at_a_time=False, connections=2, lease=10),
    replace(SPENDING, gap=100),
    replace(SPENDING, gap=20, per_day=2),
]
LIMITS = [
    SpendingLimit("tag:a", Decimal(1000), Period.TOTAL),
    SpendingLimit("tag:a", Decimal(2000), Period.DAY),
    SpendingLimit("client:producer", Decimal(1000), Period.DAY),
]
"""High ones: tests of their own tell that they hold, and this one that they count right."""
SCOPES = [
    PauseScope(),
    PauseScope(tag="a"),
    PauseScope(tag="campaign:x"),
    PauseScope(priority=Priority.BULK),
]
HOURS = "08:00-21:00"
REQUESTS = st.fixed_dictionaries(
    {
        "priority": st.sampled_from(["urgent", "normal", "bulk"]),
        "tags": st.sampled_from([(), ("a",), ("a", "b"), ("campaign:x",), ("a", "campaign:y")]),
        "recipient": st.sampled_from(NUMBERS),
        "hours": st.sampled_from([None, None, None, HOURS]),
        "at": st.sampled_from([None, None, None, 5]),
        "expires": st.sampled_from([None, None, 61, 400]),
        "redial": st.sampled_from([None, 0]),
        "max_attempts": st.sampled_from([None, 1, 3]),
        "on_uncertain": st.sampled_from([None, "redial"]),
        "evidence_window": st.sampled_from([None, 50]),
        "say": st.sampled_from(["Disk full", "Disk full, and long to say. " * 5]),
    }
)
CONFERENCE = {"recipient": None, "say": None, "participants": [RECIPIENT, "+14155550123"]}
KEYS = st.sampled_from([None, None, "alert-1", "alert-2"])
PICK = st.sampled_from([0, 0, 0, 1, 2, 5])  # the likely ones are put first
FEW = st.integers(1, 3)

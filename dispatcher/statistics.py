"""The account now: problems, jobs, rate, lines, holds, credit, counters, as JSON knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from dispatcher.model.alert import AlertReason, AlertState
from dispatcher.model.job import iso_of
from dispatcher.model.process import Role
from dispatcher.model.states import TERMINAL, State
from dispatcher.model.unusual import Unusual
from dispatcher.policy import credit_forecast
from dispatcher.problems.finding import problems
from dispatcher.problems.snapshot import Snapshot, look
from dispatcher.store import Store
from dispatcher.store.callbacks import FATES
from dispatcher.store.do_not_call import ASKED
from dispatcher.store.drills import OUTCOMES
from dispatcher.store.holds import PauseScope
from dispatcher.store.schema import ALERT_SECONDS
from dispatcher.store.values import Hold, Pace
from dispatcher.values.masking import mask_all


def statistics(store: Store) -> dict[str, Any]:
    """Return the account now, as JSON knows it. Raises StoreUnavailable."""
    now, counted = look(store), Counter(store.statistics.counters())
    return {
        "problems": [each.to_dict() for each in problems(now)],
        **_work(now),
        **_money(now),
        **_counted(store, counted),
        "webhooks": store.webhooks.counts(),
        "calls_without_callback": now.callbacks.missing,
        "alerts": _alerts(now.alerts, counted),
        "processes": processes(now),
        "calls_possible": not store.stoppage.stopped(),
        "at": iso_of(now.now),
    }


def _work(now: Snapshot) -> dict[str, Any]:
    """Return what there is to do, and how fast that goes."""
    return {
        "jobs": {state: sum(reasons.values()) for state, reasons in now.jobs.items()},
        "reasons": {
            state: r for state, rs in now.jobs.items() if (r := {k: n for k, n in rs.items() if k})
        },
        "rate": _rate(now.pace),
        "ready": now.pace.ready,
        "lines": now.pace.lines,
        "waiting_since": {
            priority: None if at is None else iso_of(at) for priority, at in now.waits.since.items()
        },
        "late": {what: round(seconds, 3) for what, seconds in now.late.items()},
        "drain": now.drain,
        "holds": _holds(now.holds),
    }


def _rate(pace: Pace) -> dict[str, Any]:
    return {
        "limit": pace.rate,
        "working": pace.working_rate,
        "period": None if pace.rate is None else pace.period,
        "next_slot_in": pace.next_slot,
        "connections": pace.connections,
        "margin": pace.margin,
        "found": [str(rate) for rate in pace.found],
    }


def _money(now: Snapshot) -> dict[str, Any]:
    credit, ahead = now.credit, now.forecast
    return {
        "balance": None if credit.balance is None else float(credit.balance),
        "balance_checked_at": None if credit.seen_at is None else iso_of(credit.seen_at),
        "credit": credit_forecast.as_json(credit)
        | {"ahead": None if ahead is None else ahead.to_dict()},
        "credit_forecast": credit_forecast.words(credit, now.now, ahead),
    }


def _counted(store: Store, counted: Counter[str]) -> dict[str, Any]:
    """Return what is counted for good."""
    return {
        "second_calls": counted["second_calls"],
        "damaged_jobs": counted["damaged_jobs"],
        "attempts": counted["attempts"],
        "requests": counted["requests"],
        "throttled": counted["throttled"],
        "ended": _ended(counted),
        "unusual": {kind: counted[f"unusual.{kind}"] for kind in map(str, Unusual)},
        "clock_steps": counted["clock_steps"],
        "do_not_call": {
            "numbers": store.do_not_call.size(),
            "refused": {where: counted[f"do_not_call.{where}"] for where in ASKED},
        },
        "callbacks": {what: counted[f"callbacks.{what}"] for what in FATES},
        "drills": {outcome: counted[f"drills.{outcome}"] for outcome in OUTCOMES},
    }


def processes(now: Snapshot) -> dict[str, int]:
    """Return how many processes of each role run."""
    return {str(role): len(now.roll.of(role)) if now.roll else 0 for role in Role}


def campaign(store: Store, name: str) -> dict[str, Any]:
    """Return what became of a campaign. Raises UnknownCampaign."""
    return store.campaigns.get(name).to_dict(mask=True)


def balance(store: Store) -> dict[str, Any]:
    """Return how the account's credit stands, with what holds calls back and what limits them."""
    return credit_forecast.as_json(store.budget.credit()) | {
        "holds": holds(store),
        "limits": [limit.to_dict() for limit in store.spending.limits()],
        "learned": [each.to_dict() for each in store.budget.learned()],
    }


def holds(store: Store) -> list[dict[str, Any]]:
    """Return the holds of now."""
    return _holds(store.holds.all())


def _holds(found: Iterable[Hold]) -> list[dict[str, Any]]:
    return [
        {
            "name": hold.name,
            "since": iso_of(hold.since),
            "why": hold.why,
            "required": hold.required,
            "half_open": hold.half_open,
        }
        for hold in found
    ]


def after_pausing(store: Store, scope: PauseScope, *, changed: bool) -> dict[str, Any]:
    """Return how it stands after a pause or its end; numbers in tags and notes are masked."""
    found = {"scope": str(scope), "changed": changed, "holds": holds(store)}
    return cast("dict[str, Any]", mask_all(found))


def _alerts(now: Mapping[AlertState, int], counted: Mapping[str, int]) -> dict[str, Any]:
    """Return the alerts by state, and what happened to any since ever."""
    reached = {
        state: sum(n for name, n in counted.items() if _is_move(name, state))
        for state in AlertState
    }
    return {
        "now": {state: now.get(state, 0) for state in AlertState},
        "reports": counted["alert.reports"],
        "refused": counted["alert.refused"],
        "moved": reached,
        "unreached": {
            reason: counted[f"alert.{AlertState.UNREACHED}:{reason}"] for reason in AlertReason
        },
        "to_first_ring": _took(counted, "alert.rung"),
        "to_acknowledge": _took(counted, "alert.acknowledged"),
    }


def _is_move(name: str, state: AlertState) -> bool:
    return name.partition(":")[0] == f"alert.{state}"


def _took(counted: Mapping[str, int], name: str) -> dict[str, Any]:
    """Return how long something took: how often at most so many seconds, and in all."""
    buckets = {str(most): counted[f"{name}.le.{most}"] for most in ALERT_SECONDS}
    return {
        "buckets": buckets,
        "count": counted[name],
        "seconds": counted[f"{name}_ms"] / 1000,
    }


def _ended(counted: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return how many jobs ever ended: state -> reason ('' for none) -> count."""
    table: dict[str, dict[str, int]] = {state: {} for state in State if state in TERMINAL}
    for name, number in counted.items():
        what, _, kind = name.partition(".")
        if what == "ended":
            state, _, reason = kind.partition(":")
            table[state][reason] = number
    return table

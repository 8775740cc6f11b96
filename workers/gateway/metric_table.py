"""All metrics that are read from the statistics at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from dispatcher.model.states import END_REASONS, State
from dispatcher.problems.catalogue import Name
from dispatcher.store.values import Room
from dispatcher.values.masking import mask_text
from workers.gateway.metric_kinds import Found, Histogram, Metric, Sample

ALWAYS = (
    "credit",
    "auth",
    "provider_down",
    "replicas",
    "restored",
    "unusual",
    "paused",
    "limit:account",
)
"""Gates that are told of while they are open, too."""


def _one(*path: str) -> Callable[[Found], Iterator[Sample]]:
    """Return how to read the one value at a path; what is not known has no sample."""

    def read(found: Found) -> Iterator[Sample]:
        value: Any = found
        for name in path:
            value = value[name]
        if value is not None:
            yield (), float(value)

    return read


def _each(*path: str) -> Callable[[Found], Iterator[Sample]]:
    """Return how to read a table of values by name."""

    def read(found: Found) -> Iterator[Sample]:
        table: Any = found
        for name in path:
            table = table[name]
        yield from (((str(name),), float(value)) for name, value in table.items())

    return read


def _jobs(found: Found) -> Iterator[Sample]:
    for state, number in found["jobs"].items():
        reasons = found["reasons"].get(state, {})
        yield from (((state, reason), n) for reason, n in reasons.items())
        if not reasons or number > sum(reasons.values()):
            yield (state, ""), number - sum(reasons.values())


def _ended(found: Found) -> Iterator[Sample]:
    """Each end stands at 0 before the first one, so that `increase()` sees that."""
    for state, reasons in found["ended"].items():
        counted = dict.fromkeys(END_REASONS[State(state)], 0) | reasons
        yield from (((state, str(reason)), n) for reason, n in counted.items())


def _problems(found: Found) -> Iterator[Sample]:
    there = {each["name"] for each in found["problems"]}
    yield from (((str(name),), float(name in there)) for name in Name)


def _holds(chosen: Callable[[Mapping[str, Any]], bool]) -> Callable[[Found], Iterator[Sample]]:
    def read(found: Found) -> Iterator[Sample]:
        values = dict.fromkeys(ALWAYS, 0.0)
        for hold in found["holds"]:
            values[mask_text(hold["name"])] = float(chosen(hold))
        yield from (((name,), value) for name, value in values.items())

    return read


def _rates_found(found: Found) -> Iterator[Sample]:
    yield from (((limit,), 1.0) for limit in found["rate"]["found"])


def _clients(chosen: Callable[[Room], int]) -> Callable[[Found], Iterator[Sample]]:
    def read(found: Found) -> Iterator[Sample]:
        yield from (((name,), float(chosen(waits))) for name, waits in found["clients"].items())

    return read


def _ahead(name: str) -> Callable[[Found], Iterator[Sample]]:
    def read(found: Found) -> Iterator[Sample]:
        ahead = found["credit"]["ahead"] or {}
        if ahead.get(name) is not None:
            yield (), float(ahead[name])

    return read


def _ages(found: Found) -> Iterator[Sample]:
    now = datetime.fromisoformat(found["at"])
    for priority, since in found["waiting_since"].items():
        age = (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0
        yield (str(priority),), max(0.0, age)


def _seen_age(found: Found) -> Iterator[Sample]:
    if found["balance_checked_at"]:
        seen, now = map(datetime.fromisoformat, (found["balance_checked_at"], found["at"]))
        yield (), max(0.0, (now - seen).total_seconds())


PROBLEM = Metric(
    "problem",
    "gauge",
    "1: there is this problem now, as `voice-dispatcher doctor` and the console tell it.",
    _problems,
    ("problem",),
)
METRICS: tuple[Metric | Histogram, ...] = (
    PROBLEM,
    Metric("jobs", "gauge", "Jobs kept, by state and reason.", _jobs, ("state", "reason")),
    Metric(
        "jobs_ended",
        "counter",
        "Jobs that ended, by state and reason; a retried job may end again.",
        _ended,
        ("state", "reason"),
    ),
    Metric("attempts", "counter", "Attempts started.", _one("attempts")),
    Metric("requests", "counter", "Requests to the provider.", _one("requests")),
    Metric(
        "second_calls", "counter", "People called twice, found out too late.", _one("second_calls")
    ),
    Metric(
        "damaged_jobs",
        "counter",
        "Times that a job could not go on since its record cannot be read or written.",
        _one("damaged_jobs"),
    ),
    Metric(
        "waiting_seconds",
        "gauge",
        "How long the oldest due job has waited, ready or held; 0: none waits.",
        _ages,
        ("priority",),
    ),
    Metric(
        "late_seconds",
        "gauge",
        "How long the oldest has stood in line, or, scheduled, been past its time; 0: none is.",
        _each("late"),
        ("jobs",),
    ),
    Metric(
        "drain_seconds",
        "gauge",
        "How long it takes to dial all that stand in line, at the present rate.",
        _one("drain"),
    ),
    Metric("ready", "gauge", "Jobs in line to be dialled.", _each("ready"), ("priority",)),
    Metric("lines", "gauge", "Lines with ready jobs.", _each("lines"), ("priority",)),
    Metric(
        "hold_active",
        "gauge",
        "1: calls are held for this reason.",
        _holds(lambda hold: not hold["half_open"]),
        ("hold",),
    ),
    Metric(
        "hold_half_open",
        "gauge",
        "1: one call at a time tests whether the reason is over.",
        _holds(lambda hold: bool(hold["half_open"])),
        ("hold",),
    ),
    Metric("rate_limit", "gauge", "Requests per second, as set.", _one("rate", "limit")),
    Metric(
        "rate_working",
        "gauge",
        "Requests per second, as lowered after 429s.",
        _one("rate", "working"),
    ),
    Metric(
        "rate_margin_seconds",
        "gauge",
        "By how much requests keep further apart than the limit asks for.",
        _one("rate", "margin"),
    ),
    Metric(
        "rate_found",
        "gauge",
        "1: the provider was found to take so many requests in such a window, and no more.",
        _rates_found,
        ("limit",),
    ),
    Metric("throttled", "counter", "429s of the provider.", _one("throttled")),
    Metric("connections", "gauge", "Requests under way.", _one("rate", "connections")),
    Metric("balance", "gauge", "Credits at the last balance check.", _one("credit", "balance")),
    Metric("balance_age_seconds", "gauge", "Seconds since the last balance check.", _seen_age),
    Metric(
        "balance_checks_failed",
        "gauge",
        "Balance checks that failed in a row.",
        _one("credit", "checks_failed"),
    ),
    Metric(
        "credit_floor", "gauge", "Credits below which no call is placed.", _one("credit", "floor")
    ),
    Metric(
        "credit_available",
        "gauge",
        "Balance, less what was spent since and is reserved.",
        _one("credit", "available"),
    ),
    Metric(
        "credit_reserved",
        "gauge",
        "Credits reserved for calls under way.",
        _one("credit", "reserved"),
    ),
    Metric("credit_spent", "counter", "Credits that ended calls cost.", _one("credit", "spent")),
    Metric(
        "credit_hours_left",
        "gauge",
        "Hours until the floor, at the pace of the last hour.",
        _one("credit", "hours_left"),
    ),
    Metric(
        "credit_warned_level",
        "gauge",
        "The level that was warned of, while the balance is below it.",
        _one("credit", "warned_level"),
    ),
    Metric(
        "credit_waiting_cost",
        "gauge",
        "Credits that the waiting jobs will probably cost.",
        _one("credit", "waiting", "credits"),
    ),
    Metric(
        "credit_needed",
        "gauge",
        "Credits that will probably be needed within 4 hours: for what waits, and as is usual.",
        _ahead("needed"),
    ),
    Metric(
        "credit_left",
        "gauge",
        "Credits that are there for it: available, and above the floor.",
        _ahead("left"),
    ),
    Metric(
        "callbacks",
        "counter",
        "The provider's callbacks, by what became of them.",
        _each("callbacks"),
        ("fate",),
    ),
    Metric(
        "calls_without_callback",
        "gauge",
        "Calls that a status check found over since the last callback came.",
        _one("calls_without_callback"),
    ),
    Metric(
        "client_jobs",
        "gauge",
        "Jobs of a client of the HTTP API that wait.",
        _clients(lambda waits: waits.jobs),
        ("client",),
    ),
    Metric(
        "client_job_bytes",
        "gauge",
        "Bytes that these jobs take in Redis, about.",
        _clients(lambda waits: waits.bytes),
        ("client",),
    ),
    Metric(
        "client_jobs_most",
        "gauge",
        "Jobs of a client that may wait, unless its key says otherwise.",
        lambda found: [((), float(found["room"].jobs))],
    ),
    Metric(
        "client_job_bytes_most",
        "gauge",
        "Bytes that the waiting jobs of a client may take.",
        lambda found: [((), float(found["room"].bytes))],
    ),
    Metric(
        "unusual",
        "counter",
        "What was unusual of the account's calls, by kind.",
        _each("unusual"),
        ("kind",),
    ),
    Metric("do_not_call_numbers", "gauge", "Numbers on the list.", _one("do_not_call", "numbers")),
    Metric(
        "do_not_call_refused",
        "counter",
        "Requests (enqueue) and jobs (claim) that the do-not-call list refused.",
        _each("do_not_call", "refused"),
        ("asked_at",),
    ),
    Metric(
        "calls_possible",
        "gauge",
        "0: nobody can be called, for longer than DISPATCHER_ALARM_AFTER.",
        _one("calls_possible"),
    ),
    Metric("drills", "counter", "Drills, by outcome.", _each("drills"), ("outcome",)),
    Metric("processes", "gauge", "Processes that run, by role.", _each("processes"), ("role",)),
    Metric("clock_steps", "counter", "Steps of Redis' clock.", _one("clock_steps")),
    Metric("alerts", "gauge", "Alerts kept, by state.", _each("alerts", "now"), ("state",)),
    Metric(
        "alert_reports",
        "counter",
        "Reports of alerts that fire or are resolved.",
        _one("alerts", "reports"),
    ),
    Metric(
        "alert_reports_refused",
        "counter",
        "Reports of alerts that were refused, most of which are not sent again.",
        _one("alerts", "refused"),
    ),
    Metric(
        "alerts_moved",
        "counter",
        "Alerts that came to a state, a bundle as one; one may come to it again.",
        _each("alerts", "moved"),
        ("state",),
    ),
    Metric(
        "alerts_unreached",
        "counter",
        "Alerts that nobody could be reached for, by reason.",
        _each("alerts", "unreached"),
        ("reason",),
    ),
    Histogram(
        "alert_to_first_ring_seconds",
        "Seconds from an alert's first report to its first call.",
        lambda found: found["alerts"]["to_first_ring"],
    ),
    Histogram(
        "alert_to_acknowledge_seconds",
        "Seconds from an alert's first report until somebody had it.",
        lambda found: found["alerts"]["to_acknowledge"],
    ),
    Metric(
        "webhooks",
        "gauge",
        "Webhooks that wait or were given up (dead).",
        _each("webhooks"),
        ("state",),
    ),
    Metric(
        "redis_memory_bytes",
        "gauge",
        "Memory that Redis has taken.",
        lambda found: [((), float(found["memory"][0]))],
    ),
    Metric(
        "redis_memory_most_bytes",
        "gauge",
        "Memory that Redis may take; 0: any.",
        lambda found: [((), float(found["memory"][1]))],
    ),
)
"""All but `redis_up`, `info` and what latency.py has; without Redis, PROBLEM alone.
docs/reference/metrics.md has the same table.
"""

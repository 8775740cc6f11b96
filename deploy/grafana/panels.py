"""What is on the dashboard: each panel, what it asks Prometheus for, and what it says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from deploy.grafana.questions import ended, now, of, pace, quantile
from dispatcher.problems.catalogue import CATALOGUE

RED, AMBER, GREEN = "red", "orange", "green"
OPEN: Final = 'state=~"scheduled|queued|held|dialing|uncertain|in_progress"'
"""The states of jobs that are not over."""
IN_VAIN: Final = 'state=~"failed|expired"'
Kind = Literal["timeseries", "stat", "table"]


@dataclass(frozen=True)
class Panel:
    """One panel: `asks` are expressions by what their series are called, `{{label}}` included.

    `limits` are the values from which it has another colour; `words` what values are shown as.
    """

    title: str
    about: str
    asks: Mapping[str, str]
    kind: Kind = "timeseries"
    unit: str = "short"
    width: int = 8
    limits: Sequence[tuple[float, str]] = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stacked: bool = False
    empty: str = ""
    """What is shown where there is nothing to show."""


ROWS: Final[Mapping[str, Sequence[Panel]]] = {
    "Now": (
        Panel(
            "Problems",
            "What is wrong now, in the words of `voice-dispatcher doctor` and the console, which"
            " say more, and what to do.",
            {"{{problem}}": f"{now('problem', by='problem')} == 1"},
            kind="table",
            words={str(name): (entry.summary, AMBER) for name, entry in CATALOGUE.items()},
            empty="No problem",
        ),
        Panel(
            "People can be called",
            "No: nobody can be called at all, for longer than DISPATCHER_ALARM_AFTER.",
            {"calls": f"min({of('calls_possible')})"},
            kind="stat",
            width=4,
            limits=((1, GREEN),),
            words={"0": ("No", RED), "1": ("Yes", GREEN)},
        ),
        Panel(
            "Redis answers",
            "No: the gateway has no Redis, and tells of nothing else.",
            {"Redis": f"min({of('redis_up')})"},
            kind="stat",
            width=4,
            limits=((1, GREEN),),
            words={"0": ("No", RED), "1": ("Yes", GREEN)},
        ),
        Panel(
            "Holds",
            "Why jobs are held, a hold in a line: credit, wrong credentials, the provider down, or"
            " somebody paused them.",
            {"{{hold}}": f"{now('hold_active', by='hold')} == 1"},
            kind="table",
            empty="Nothing is held",
        ),
        Panel(
            "Processes",
            "How many processes of each role run, by their heartbeats. Without a worker nobody is"
            " called; without beat nothing that is scheduled comes into line.",
            {"{{role}}": now("processes", by="role")},
            width=16,
        ),
        Panel(
            "People called twice",
            "In the last 24 hours: a call that counted as not placed was placed after all, and"
            " found out too late.",
            {"calls": f"max(increase({of('second_calls_total')}[24h]))"},
            kind="stat",
            limits=((0, GREEN), (1, AMBER)),
        ),
    ),
    "Calls": (
        Panel(
            "Pace and limit",
            "Requests to the provider in a second, and how many there may be: as set, and as"
            " lowered while the provider asks to slow down.",
            {
                "requests": pace("requests_total"),
                "limit": now("rate_limit"),
                "working rate": now("rate_working"),
            },
            unit="reqps",
        ),
        Panel(
            "Asked to slow down",
            "Answers of the provider that say: too many requests (429). A few are normal where"
            " others use the account, too.",
            {"429": pace("throttled_total")},
            unit="reqps",
        ),
        Panel(
            "Requests under way",
            "Requests to the provider that wait for their answer. As many as"
            " DISPATCHER_MAX_CONNECTIONS all the time: the provider is slow, or there are too few.",
            {"requests": now("connections")},
        ),
        Panel(
            "Outcomes",
            "Jobs that ended in a minute, by state and reason.",
            {"{{state}} {{reason}}": f"60 * {pace('jobs_ended_total', by='state, reason')}"},
            stacked=True,
            width=16,
        ),
        Panel(
            "Share that reached nobody",
            "Of the jobs that ended in the last 15 minutes, how many failed or came too late.",
            {
                "failed or expired": f"{ended(IN_VAIN)} / {ended()}",
            },
            unit="percentunit",
        ),
    ),
    "Waiting": (
        Panel(
            "In line",
            "Jobs that are ready to be dialled, by priority.",
            {"{{priority}}": now("ready", by="priority")},
            stacked=True,
        ),
        Panel(
            "Lateness",
            "How long the oldest has stood in line, by priority; or, scheduled, has been past its"
            " time. What is held does not count.",
            {"{{jobs}}": now("late_seconds", by="jobs")},
            unit="s",
        ),
        Panel(
            "Time to drain",
            "How long it takes to dial all that stand in line, at the present rate.",
            {"time": now("drain_seconds")},
            unit="s",
        ),
        Panel(
            "Jobs that are not over",
            "By state: scheduled for later, held, in line, being dialled, with a call under way, or"
            " uncertain.",
            {
                "{{state}}": f"sum by (state) ({now('jobs', OPEN, by='state, reason')})",
            },
            stacked=True,
            width=16,
        ),
        Panel(
            "Waiting jobs of clients",
            "Of the ten clients of the HTTP API with the most. One that has as many as it may is"
            " answered 429.",
            {"{{client}}": f"topk(10, {now('client_jobs', by='client')})"},
        ),
    ),
    "Credit": (
        Panel(
            "Credit",
            "What is available: the balance, less what was spent since and is reserved; and the"
            " floor, below which no call is placed.",
            {
                "available": now("credit_available"),
                "balance": now("balance"),
                "floor": now("credit_floor"),
            },
        ),
        Panel(
            "Enough for four hours",
            "What will probably be needed within 4 hours, for what waits and as is usual at this"
            " hour, and what is there for it. Top up before the lines cross.",
            {"needed": now("credit_needed"), "there": now("credit_left")},
        ),
        Panel(
            "Spent in an hour",
            "Credits that the calls of the last hour cost.",
            {"spent": f"3600 * {pace('credit_spent_total', over='1h')}"},
        ),
    ),
    "Callbacks, webhooks and alerts": (
        Panel(
            "Callbacks",
            "Reports of the provider in a minute, by what became of them. Forged, expired and"
            " mangled ones were turned away.",
            {"{{fate}}": f"60 * {pace('callbacks_total', by='fate')}"},
        ),
        Panel(
            "Calls without a callback",
            "Calls that a status check found over since the last callback came. 3 or more: the"
            " provider does not reach the gateway.",
            {"calls": now("calls_without_callback")},
            limits=((0, GREEN), (3, RED)),
        ),
        Panel(
            "Webhooks",
            "Webhooks that wait to be delivered, and that were given up.",
            {"{{state}}": now("webhooks", by="state")},
        ),
        Panel(
            "Alerts",
            "Alerts of monitoring, by state. Unreached: nobody has it, and nobody is called any"
            " more.",
            {"{{state}}": now("alerts", 'state!="resolved"', by="state")},
            stacked=True,
        ),
        Panel(
            "From alert to first call",
            "Within how many seconds of its report 95 of 100 alerts rang.",
            {"95 of 100": quantile(0.95, "alert_to_first_ring_seconds_bucket")},
            unit="s",
        ),
        Panel(
            "From alert to acknowledgement",
            "Within how many seconds of its report somebody had half of the alerts.",
            {"half": quantile(0.5, "alert_to_acknowledge_seconds_bucket")},
            unit="s",
        ),
    ),
    "Redis and gateway": (
        Panel(
            "Memory of Redis",
            "What Redis has taken, and may take. At its limit it takes no job any more.",
            {
                "taken": now("redis_memory_bytes"),
                "limit": f"{now('redis_memory_most_bytes')} > 0",
            },
            unit="bytes",
        ),
        Panel(
            "Answers of the gateway",
            "Within how many seconds it began to answer 99 of 100 requests, by route; all gateways"
            " together. One that was asked to wait for a job's end takes as long as that.",
            {
                "{{method}} {{route}}": quantile(
                    0.99, "gateway_answer_seconds_bucket", "le, method, route"
                )
            },
            unit="s",
        ),
        Panel(
            "Requests to the gateway",
            "Requests in a second, by route; all gateways together.",
            {
                "{{method}} {{route}}": (
                    "sum by (method, route) "
                    f"(rate({of('gateway_answer_seconds_count')}[$__rate_interval]))"
                )
            },
            unit="reqps",
        ),
    ),
}


def panels() -> Iterator[Panel]:
    """Yield all panels."""
    for row in ROWS.values():
        yield from row

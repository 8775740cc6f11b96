"""`doctor`: looks at what the dispatcher stands on, and says what to mend."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import starmap
from typing import Annotated, cast

import typer

from dispatcher.cli import (
    connection,
    doctor_chains,
    doctor_dial_in,
    doctor_keys,
    doctor_outside,
    doctor_processes,
    doctor_redis,
    output,
)
from dispatcher.cli.connection import Connection
from dispatcher.cli.finding import FAIL, OK, WARN, Finding
from dispatcher.cli.output import AsJson
from dispatcher.cli.processes import Process
from dispatcher.cli.status import Status
from dispatcher.client.default_queue import DefaultQueue
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.client.queues import CALL, DEFAULT_QUEUE, WEBHOOKS, dial_queues, in_broker
from dispatcher.errors import DispatcherError
from dispatcher.model.states import Priority
from dispatcher.problems.finding import problems
from dispatcher.problems.of_processes import redis_refuses
from dispatcher.problems.problem import Level, Problem
from dispatcher.problems.snapshot import look
from dispatcher.store import Store
from dispatcher.store.clock import Step
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Pace
from dispatcher.values.counts import counted

_STYLES = {OK: "green", WARN: "yellow", FAIL: "red"}
LAST_HOUR = 3_600_000  # ms
CLOCKS_AGREE = 5.0
"""Seconds of difference that do no harm: all moments are those of one clock, Redis'."""
_ROLES = {CALL: "call task", WEBHOOKS: "webhooks"}
"""The queues that have a process of their own."""


def doctor(
    context: typer.Context,
    *,
    provider: Annotated[
        bool,
        typer.Option(help="Also ask the provider (one request, two where chains call people)."),
    ] = True,
    gateway: Annotated[
        str | None,
        typer.Option(
            envvar="DISPATCHER_PUBLIC_URL", help="The gateway's public address for the provider."
        ),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Fetch this recording as the provider must, and check only that."
        ),
    ] = None,
    email: Annotated[
        bool, typer.Option("--email", help="Send a test mail to DISPATCHER_ALARM_EMAIL, only that.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Check Redis, broker, workers and provider. Says what to fix; exit 1 if anything is broken."""
    if recording is not None:
        _say(_recording(recording), json=json)
        return
    if email:
        _say([_email()], json=json)
        return
    _say(_all(context, gateway, provider=provider), json=json)


def _all(context: typer.Context, gateway: str | None, *, provider: bool) -> Iterator[Finding]:
    """Yield what there is to say, as it is found out."""
    at = connection.of(context)
    yield from _settings()
    yield from examine(at)
    running = at.running
    gateway = gateway or (running.gateway_url if running else None)
    if gateway:
        yield doctor_outside.gateway(gateway)
        yield from doctor_outside.callbacks(at)
    if provider:
        yield doctor_outside.provider(context, at)
        for each in doctor_dial_in.found(context):
            yield Finding("calling back", *each)


def _say(findings: Iterable[Finding], *, json: bool) -> None:
    """Say each as soon as it is found out: some of them wait for answers."""
    told = []
    with Status("checking …") as status:
        for found in findings:
            told.append(found)
            if not json:
                status.show("")
                level = output.styled(f"{found.level:<5}", _STYLES[found.level])
                output.lines([f"{found.what}: {found.says}"], before=f"{level} ", indent=6)
                sys.stdout.flush()
                status.show("checking …")
    if json:
        output.as_json([{"check": f.what, "level": f.level, "message": f.says} for f in told])
    if any(found.level == FAIL for found in told):
        raise typer.Exit(1)


def _recording(url: str) -> Iterator[Finding]:
    """Say what is wrong with a recording; who fetches is no part of the installed package."""
    found = Process("workers.recordings:examine", "Check a recording.")
    if not found.here:
        raise typer.BadParameter(
            "it runs only from the project's checkout or container image", param_hint="--recording"
        )
    check = cast("Callable[[str], Iterator[tuple[str, str]]]", found.find())
    for level, says in check(url):
        yield Finding("recording", level, says)


def _email() -> Finding:
    """Send the test mail; who sends is no part of the installed package."""
    found = Process("workers.alarm.of_settings:send_test", "Send a test mail.")
    if not found.here:
        raise typer.BadParameter(
            "it runs only from the project's checkout or container image", param_hint="--email"
        )
    send = cast("Callable[[], str]", found.find())
    try:
        return Finding("email", OK, f"sent to {send()}: look whether it arrives")
    except DispatcherError as error:
        return Finding("email", FAIL, str(error))


def _settings() -> Iterator[Finding]:
    """Say what would keep a worker from starting; the installed package has no settings."""
    settings = Process("config.settings:check", "Check the settings.")
    if not settings.here:
        return
    check = cast("Callable[[], None]", settings.find())
    try:
        check()
    except DispatcherError as error:
        yield Finding("settings", FAIL, str(error))
    else:
        yield Finding("settings", OK, "as the workers need them")


def examine(at: Connection) -> Iterator[Finding]:
    """Yield what is found in Redis, in the broker and among the workers."""
    try:
        dispatcher = at.dispatcher()
        facts, wanted = dispatcher.store.server.facts(), dispatcher.store.replicas.known()
        yield from doctor_redis.findings(facts, wanted)
    except StoreUnavailable as error:
        yield replace(_of_problem(redis_refuses(str(error))), what="Redis")
        return
    except DispatcherError as error:
        yield Finding("Redis", FAIL, str(error))
        return
    writes = _writes(dispatcher.store)
    yield writes
    try:
        yield from _rest(dispatcher)
    except DispatcherError as error:
        if str(error) != writes.says:
            yield Finding("records", FAIL, str(error))


def _writes(store: Store) -> Finding:
    """Say whether Redis takes writes now, from us."""
    try:
        store.server.check_writable()
    except DispatcherError as error:
        return Finding("writes", FAIL, str(error))
    return Finding("writes", OK, "taken")


def _rest(dispatcher: Dispatcher) -> Iterator[Finding]:
    now = look(dispatcher.store)
    yield from (_of_problem(each) for each in problems(now))
    if now.roll:
        yield from starmap(Finding, doctor_processes.findings(now.roll))
    yield from _workers(dispatcher.messenger)
    yield from starmap(Finding, doctor_chains.findings(dispatcher.store))
    if not now.dead_webhooks:
        yield Finding("webhooks", OK, f"{dispatcher.store.webhooks.counts()['waiting']} wait")
    yield _clock(now.now / 1000 - time.time(), dispatcher.store.clock.last_step())
    yield _api_keys(dispatcher.store)
    yield _rate(now.pace)
    if not now.holds:
        yield Finding("holds", OK, "none")


def _of_problem(found: Problem) -> Finding:
    """Return what is told of a problem everywhere, as something that was looked at."""
    level = FAIL if found.level is Level.BAD else WARN
    return Finding(found.name.replace("_", " "), level, f"{found.what}. {found.remedy}")


def _rate(pace: Pace) -> Finding:
    """Say what the provider was found to take, where that is less than it is asked for."""
    if pace.found:
        limit = " and ".join(map(str, pace.found))
        return Finding(
            "rate",
            WARN,
            f"the provider was found to take {limit}, and no more: calls keep to it;"
            f" set DISPATCHER_RATE_LIMIT={pace.found[-1]} if that is its limit",
        )
    slowed = pace.rate is not None and pace.working_rate != pace.rate
    says = "the provider refused requests: calls go out more slowly for a while"
    return Finding("rate", WARN if slowed else OK, says if slowed else "as it is set")


def _api_keys(store: Store) -> Finding:
    wrong = doctor_keys.fault(doctor_keys.that_enqueue(store))
    return Finding("API keys", WARN if wrong else OK, wrong or "none without limits")


def _clock(ahead: float, step: Step | None = None) -> Finding:
    """Say how far Redis' clock, by which everything goes, is ahead of this machine's, and whether
    it stepped lately.
    """
    if abs(ahead) < CLOCKS_AGREE:
        if step and step.ago * 1000 < LAST_HOUR:
            says = f"Redis' clock stepped by {step.by:+.0f} s {step.ago / 60:.0f} min ago"
            remedy = "keep the clocks of all machines that Redis may run on right (NTP)"
            return Finding("clock", WARN, f"{says}: {remedy}")
        return Finding("clock", OK, "Redis' clock agrees with this machine's")
    way = "ahead of" if ahead > 0 else "behind"
    says = (
        f"Redis' clock is {abs(ahead):.0f} s {way} this machine's: set the one that is wrong (NTP)"
    )
    return Finding("clock", WARN, says)


def _workers(messenger: Messenger) -> Iterator[Finding]:
    wanted = {*dial_queues(messenger.namespace), *_own_queues(messenger.namespace)}
    try:
        messenger.ping()
        consumed = messenger.consumers({*wanted, DEFAULT_QUEUE})
        left = messenger.default_queue()
    except DispatcherError as error:
        yield Finding("broker", FAIL, str(error))
        return
    yield Finding("broker", OK, "takes messages")
    for queue in sorted(queue for queue in wanted if not consumed[queue]):
        yield Finding(f"queue {queue}", WARN, "no worker answers: start `voice-dispatcher worker`")
    yield from _default_queue(left, in_broker(messenger.namespace, CALL), consumed)
    says = _roles(consumed, messenger.namespace)
    yield Finding("workers", OK if consumed.total() else WARN, says)


def _own_queues(namespace: str) -> dict[str, str]:
    """Return the roles by the queue that only they consume."""
    return {in_broker(namespace, queue): role for queue, role in _ROLES.items()}


def _roles(consumed: Counter[str], namespace: str) -> str:
    """Say who answers: `1 worker, call task, webhooks`."""
    named = [
        role if consumed[queue] == 1 else f"{consumed[queue]} {role}"
        for queue, role in _own_queues(namespace).items()
        if consumed[queue]
    ]
    workers = consumed[in_broker(namespace, Priority.NORMAL)]
    return ", ".join([counted(workers, "worker"), *named])


def _default_queue(left: DefaultQueue, own: str, consumed: Counter[str]) -> Iterator[Finding]:
    """Say what lies in the queue that `dispatcher.call` was sent to before it had its own."""
    what = f"queue {DEFAULT_QUEUE}"
    if consumed[DEFAULT_QUEUE]:
        yield Finding(what, OK, "served, too; other tasks that come there are refused and lost")
    elif left.calls:
        says = f"{counted(left.calls, 'message')} `dispatcher.call` that nobody here takes"
        remedy = f'send with queue="{own}"; DISPATCHER_SERVE_DEFAULT_QUEUE takes in what lies there'
        yield Finding(what, WARN, f"{says}: {remedy}")
    elif left.calls is None and left.messages:
        says = f"{counted(left.messages, 'message')}: if services still send `dispatcher.call`"
        yield Finding(what, OK, f'{says} there, nobody here takes it; send with queue="{own}"')

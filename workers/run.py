"""The single processes: `python -m workers.run dial|call-task|webhooks|beat|flower|gateway`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from functools import partial

from celery import Celery
from celery.signals import beat_init, before_task_publish, heartbeat_sent, worker_ready
from celery.worker.state import all_total_count

from config import credentials, logs, roles
from config import flower as flower_configuration
from config.celery import call_queues
from config.settings import InvalidSettings, Settings
from config.weakened import weakened
from dispatcher.client.broker_check import require_results_kept, require_suitable_broker
from dispatcher.client.broker_rights import Part
from dispatcher.client.broker_url import is_redis, sentinels
from dispatcher.client.queues import WEBHOOKS, dial_queues, in_broker
from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.process import Role
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.store import Store
from dispatcher.values.masking import mask_text
from workers import tracing
from workers.alarm.of_settings import alarm
from workers.ending import (
    end_in_time,
    end_with_keepers,
    leave_none_behind,
    leave_now,
    leave_on_signal,
)
from workers.engine.chains_watch import ChainsWatch
from workers.engine.heartbeat import Heartbeat
from workers.engine.rights_watch import RightsWatch
from workers.engine.schema_guard import SchemaGuard
from workers.gateway import several
from workers.gateway.listening import listen
from workers.gateway.member import Member
from workers.health.of_role import Turns, heartbeat, of_beat, of_consumer, of_loop, of_worker
from workers.queue.app import create_app, create_call_task, create_webhooks
from workers.queue.redaction import hide_what_others_tell

READY = "consuming"
GUARD = SchemaGuard()
TURN_OF_A_THREAD = 0.001
"""Seconds a thread may keep the others from running (Python's own: five times that): with many of
them, a request would go out noticeably later than the slot it has."""
WEBHOOK_THREADS = 32
"""They wait for receivers, most of the time: so many targets have to hang before one is late."""


def dial(settings: Settings, *, concurrency: int | str | None = None, name: str = "worker") -> None:
    """Run a worker that dials, until a signal; what is in flight is finished first."""
    require_credentials(settings)
    store = _publish(settings, name)
    threads = int(concurrency or settings.max_connections)  # an option of a command line is text
    app = create_app(settings, threads)
    dialler = app.container().dialler  # made here, since the heartbeat's thread asks it at once
    works = of_worker(store, settings, lambda: all_total_count[0], lambda: dialler.rounds)
    heart = heartbeat(store, settings, Role.WORKER, name, works=works)
    worker_ready.connect(heart.ready, weak=False)
    sys.setswitchinterval(TURN_OF_A_THREAD)
    queues = dial_queues(settings.namespace)
    _work(app, settings, name, queues, threads, busy=lambda: dialler.busy)


def call_task(settings: Settings, *, name: str = "call-task") -> None:
    """Run the worker that takes in `dispatcher.call`."""
    _beat_of_consumer(settings, Part.CALL_TASK, Role.CALL_TASK, name)
    _work(create_call_task(settings), settings, name, call_queues(settings), 2)


def webhooks(settings: Settings, *, name: str = "webhooks") -> None:
    """Run the process that delivers webhooks: one of its own, so that no receiver delays a dial."""
    _beat_of_consumer(settings, Part.WEBHOOKS, Role.WEBHOOKS, name)
    queue = in_broker(settings.namespace, WEBHOOKS)
    _work(create_webhooks(settings), settings, name, (queue,), WEBHOOK_THREADS)


def beat(settings: Settings) -> None:
    """Run beat. Two of them do no harm: a tick finds by itself what is due."""
    store = require_store(settings, Part.BEAT)
    alarm(store, Role.BEAT, settings).start()
    if settings.chains:
        ChainsWatch(store, settings.chains).start()
    sent = Turns()
    before_task_publish.connect(sent, weak=False)
    heart = heartbeat(store, settings, Role.BEAT, works=of_beat(settings, sent))
    beat_init.connect(heart.ready, weak=False)
    beat_init.connect(leave_on_signal)  # Celery has its handlers by then
    create_app(settings).Beat(loglevel=settings.log_level, quiet=True).run()


def flower(settings: Settings) -> None:
    """Run Flower. Raises InvalidSettings where it would be open without a password."""
    # Not at the top: the other processes have no use for Flower.
    from flower import command  # noqa: PLC0415
    from tornado.ioloop import PeriodicCallback  # noqa: PLC0415

    from workers.flower_access import guard  # noqa: PLC0415
    from workers.flower_sentinels import ask_all  # noqa: PLC0415

    os.environ.update(flower_configuration.environment(settings))
    os.environ.pop("FLOWER_UNAUTHENTICATED_API", None)
    guard(api=settings.flower_api)
    ask_all(sentinels(settings.broker))
    command.sigterm_handler = leave_now
    _require_free(settings.flower_host, settings.flower_port, "DISPATCHER_FLOWER_PORT")
    turns = Turns()
    store = require_store(settings, Part.FLOWER)
    heart = heartbeat(store, settings, Role.FLOWER, works=of_loop(turns))
    PeriodicCallback(partial(_come_round, heart, turns), 1000).start()
    settings.flower_db.parent.mkdir(parents=True, exist_ok=True)
    hide_what_others_tell()
    sys.stderr.write(f"Flower on http://{settings.flower_host}:{settings.flower_port}\n")
    try:
        create_app(settings).start(argv=["flower"])
    finally:
        leave_none_behind()


def gateway(settings: Settings, **given: str) -> None:
    """Run the HTTP gateway until a signal; requests under way are finished first.

    `given` is what one of several processes shares with the others.
    """
    settings.require_bounds()
    store = require_store(settings, Part.GATEWAY)
    settings.callbacks  # noqa: B018 - a public URL without a key: better told now than by a worker
    if given:
        member = Member.read(given)
        _serve(settings, store, socket.socket(fileno=member.socket), member)
    elif settings.gateway_processes > 1:
        several.run(settings)
    else:
        _serve(settings, store, listen(settings))


def _serve(
    settings: Settings, store: Store, listener: socket.socket, member: Member | None = None
) -> None:
    # Not at the top: the other processes have no use for a web framework.
    from workers.gateway.app import create_gateway  # noqa: PLC0415
    from workers.gateway.server import serve  # noqa: PLC0415

    turns = Turns()
    tells: tuple[str, ...] = ()
    if member is None or member.is_first:  # as people need to be told once
        telling = alarm(store, Role.GATEWAY, settings)
        telling.start()
        tells = telling.ways
    name = member.name if member else None
    heart = heartbeat(store, settings, Role.GATEWAY, name, works=of_loop(turns), tells=tells)
    app = create_gateway(settings, member=member)
    processes = member.of if member else 1
    each_second = partial(_come_round, heart, turns)
    serve(app, settings, listener, processes=processes, each_second=each_second)


def _work(
    app: Celery,
    settings: Settings,
    name: str,
    queues: tuple[str, ...],
    threads: int,
    *,
    busy: Callable[[], bool] = lambda: False,
) -> None:
    """Threads: dialling is waiting for the provider, and they share one pool of connections.

    Started without Celery's command line: that loads all other commands, Flower's too, and
    forgets the exit code.
    """
    worker_ready.connect(_say_ready)
    end_in_time(GUARD.answered, busy)
    worker = app.Worker(
        pool_cls="threads",
        concurrency=threads,
        queues=",".join(queues),
        hostname=full_name(name),
        loglevel=settings.log_level,
        quiet=True,
        without_mingle=True,
        without_gossip=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


def _say_ready(**_: object) -> None:
    """Say it in a line that does not depend on the log's level: the stack waits for it."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


def require_credentials(settings: Settings) -> None:
    """Raise InvalidSettings without any: the first 401 would stop the whole account."""
    missing = [
        name for name in settings.registration.credentials if name not in settings.credentials
    ]
    if missing:
        raise InvalidSettings(
            f"not set: {' and '.join(missing)}. A worker needs the provider's credentials"
            " (`voice-dispatcher up` works without them, with the sandbox)"
        )


def require_store(settings: Settings, part: Part) -> Store:
    """Return the store. Raises StoreUnavailable, StoreUnsuitable where it or the broker will not
    do, or a right is missing there.
    """
    store = Store.from_url(settings.records, namespace=settings.namespace)
    store.server.check_version()
    if part is Part.FLOWER:  # which only looks at messages
        store.server.check_schema()
    else:
        store.server.check_rights()
    require_suitable_broker(settings.broker, part, settings.namespace)
    GUARD.watch(store)
    return store


def require_worker_store(settings: Settings, part: Part, name: str) -> Store:
    """Return the store of a worker, which says where all can see it what right keeps it from its
    start. Raises as `require_store`.
    """
    with _rights_watch(settings, part, name).starting():
        store = require_store(settings, part)
        if part is Part.CALL_TASK:
            require_results_kept(settings.records)
    return store


def _rights_watch(settings: Settings, part: Part, name: str) -> RightsWatch:
    store = Store.from_url(settings.records, namespace=settings.namespace)
    require = partial(_require_rights, store, settings, part)
    return RightsWatch(store, full_name(name), require)


def _require_rights(store: Store, settings: Settings, part: Part) -> None:
    """Raise NotAllowed where a worker lacks a right, also one that was taken away."""
    store.server.check_rights()
    if is_redis(settings.broker):
        require_suitable_broker(settings.broker, part, settings.namespace)
    if part is Part.CALL_TASK:
        require_results_kept(settings.records)


def full_name(name: str) -> str:
    """Return what a worker is called in Flower, and everywhere else."""
    return f"{name}@{socket.gethostname()}"


def _watched_store(settings: Settings, part: Part, name: str) -> Store:
    """Return the store of a worker, which says from now on which right it lacks."""
    store = require_worker_store(settings, part, name)
    _rights_watch(settings, part, name).start()
    return store


def _beat_of_consumer(settings: Settings, part: Part, role: Role, name: str) -> None:
    """Tell from now on that this worker runs, which has tasks only now and then."""
    store, turns = _watched_store(settings, part, name), Turns()
    heartbeat_sent.connect(turns, weak=False)  # Celery's own, every two seconds
    heart = heartbeat(store, settings, role, name, works=of_consumer(settings, part, turns))
    worker_ready.connect(heart.ready, weak=False)


def _come_round(heart: Heartbeat, turns: Turns) -> None:
    """Say that an event loop runs."""
    turns()
    heart.ready()


def _publish(settings: Settings, name: str) -> Store:
    """Make this process' settings the rules of the account: the latest to start overrides.

    Only processes that dial do: they have the credentials, so that somebody chose their bounds.
    """
    settings.require_bounds()
    store = _watched_store(settings, Part.DIAL, name)
    store.limiter.publish(settings.account_config)
    return store


def _require_free(host: str, port: int, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidSettings(
                f"{setting}={port}: cannot listen on {host}:{port} ({error.strerror});"
                " choose another port"
            ) from None


PROCESSES: dict[str, Callable[..., None]] = {
    Part.DIAL: dial,
    Part.CALL_TASK: call_task,
    Part.WEBHOOKS: webhooks,
    Part.BEAT: beat,
    Part.FLOWER: flower,
    Part.GATEWAY: gateway,
}


def one(part: Part, settings: Settings, **options: int | str | None) -> None:
    """Run one process, which keeps no secret of another one's in its environment."""
    roles.forget_others(part, os.environ)
    tracing.start(settings, part)
    PROCESSES[part](settings, **options)


def main(role: str, **options: int | str | None) -> None:
    """Run one process by its role; what is wrong is one sentence on stderr."""
    try:
        credentials.take(os.environ)
        settings = Settings.load()
        logs.set_up(settings.log_level, settings.security_log)
        for setting, opens in weakened(settings):
            tell(SecurityEvent.GUARD_WEAKENED, process=role, setting=setting, opens=opens)
        end_with_keepers()
        one(Part(role), settings, **options)
    except DispatcherError as error:
        sys.exit(_refusal(error))
    finally:
        if GUARD.refusal:
            sys.exit(_refusal(GUARD.refusal))


def _refusal(error: DispatcherError) -> int:
    sys.stderr.write(f"error: {mask_text(str(error))}\n")
    return 2 if isinstance(error, UsageError) else 1


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    given = dict(option.split("=", 1) for option in rest)
    threads = given.pop("concurrency", None)
    main(role, **given, **({"concurrency": int(threads)} if threads else {}))

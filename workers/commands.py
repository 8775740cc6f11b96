"""The commands that run processes, for the command line of a checkout or the image."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config import credentials, logs
from config.settings import Settings
from dispatcher.cli import connection
from dispatcher.cli.person import actor
from dispatcher.client.broker_rights import Part
from dispatcher.running import FOLDER
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.values.durations import seconds
from dispatcher.values.webhook_url import origin
from workers import run
from workers.devstack import own_process
from workers.devstack.child import Service
from workers.devstack.demo import Demo
from workers.devstack.run_folder import RunFolder
from workers.devstack.stack import KEPT_KEY, Plan, Stack, use_sandbox
from workers.devstack.supervisor import Supervisor
from workers.health.folder import join_running
from workers.health.watched import hung, watched
from workers.webhooks import secrets_shown

Concurrency = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Simultaneous dials of a worker.")
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")]


def up(
    context: typer.Context,
    *,
    workers: Workers = 1,
    concurrency: Concurrency = None,
    flower: Annotated[bool, typer.Option("--flower/--no-flower", help="Run Flower.")] = True,
    gateway: Annotated[
        bool, typer.Option("--gateway/--no-gateway", help="Run the HTTP gateway.")
    ] = True,
    sandbox: Annotated[
        bool | None,
        typer.Option(
            "--sandbox/--no-sandbox", help="Use the sandbox; default: if no credentials are set."
        ),
    ] = None,
) -> None:
    """Run the whole stack in the foreground until Ctrl-C."""
    os.environ.update(connection.of(context).named)
    Settings.load()
    plan = Plan(
        workers=workers, concurrency=concurrency, flower=flower, gateway=gateway, sandbox=sandbox
    )
    with RunFolder(Path.cwd()) as folder, Stack(plan, folder.path) as stack:
        folder.announce(stack.announcement())
        _say_hello(stack)
        stack.supervisor.run()


def _say_hello(stack: Stack) -> None:
    out, command = Console(file=sys.stderr, highlight=False, soft_wrap=True), _as_typed()
    out.print("[bold]up[/bold]; Ctrl-C stops everything. In another terminal, in this directory:")
    out.print(f"  {command} call +818012340001 --say 'Hello' --wait")
    out.print(f"  {command} url  # Redis, for your own services")
    if stack.gateway_url:
        out.print(f"  {command} keys create NAME --scope operate  # a key for the console")
    urls = {
        "console": f"{stack.gateway_url}/console" if stack.gateway_url else None,
        "gateway": stack.gateway_url,
        "Flower ": stack.flower_url,
        "sandbox": stack.sandbox_url,
    }
    for name, url in urls.items():
        if url:
            out.print(f"  {name} {url}")


def _as_typed() -> str:
    """Return how this command line is called from here: by its name where that is found."""
    called = Path(sys.argv[0])
    return called.name if shutil.which(called.name) else shlex.quote(os.path.relpath(called))


def demo(
    *,
    ring: Annotated[str, typer.Option(help="How long the sandbox's phones ring.")] = "1s",
    workers: Workers = 2,
    log: Annotated[Path | None, typer.Option(help="File for the log of all processes.")] = None,
) -> None:
    """Make every kind of call once against the sandbox, and show the results.

    Exit 0 if all results are right.
    """
    if not Demo(ring=seconds(ring), workers=workers, log=log).run():
        raise typer.Exit(1)


def worker(
    context: typer.Context,
    *,
    concurrency: Concurrency = None,
    call_task: Annotated[
        bool,
        typer.Option(
            "--call-task/--no-call-task", help="Also run the call task `dispatcher.call`."
        ),
    ] = True,
    webhooks: Annotated[
        bool, typer.Option("--webhooks/--no-webhooks", help="Also deliver webhooks.")
    ] = True,
    name: Annotated[str, typer.Option(help="Name in Flower.")] = "worker",
) -> None:
    """Run a worker that dials. It also runs the call task and the delivery of webhooks,
    each in a process of its own.
    """
    settings = _settings(context)
    run.require_credentials(settings)
    if not (call_task or webhooks):
        logs.set_up(settings.log_level)
        run.one(Part.DIAL, settings, concurrency=concurrency, name=name)
        return
    settings.require_bounds()
    run.require_worker_store(settings, Part.DIAL, name)
    settings.check_together()  # here, and not in each process
    wanted = {Part.DIAL: True, Part.CALL_TASK: call_task, Part.WEBHOOKS: webhooks}
    watch = watched(part for part in wanted if wanted[part])  # before they inherit what it takes
    options = [f"concurrency={concurrency}"] if concurrency else []
    with Supervisor(name=name) as supervisor:
        for part, stop in stop_times(settings).items():
            if not wanted[part]:
                continue
            extra = options if part is Part.DIAL else []
            argv = own_process.command("workers.run", part, f"name={name}-{part}", *extra)
            own = own_process.environment_of(part, settings)
            supervisor.add(Service(part, argv, env=own, stop_timeout=stop, hung=hung))
        supervisor.watch(watch)
        supervisor.start()
        supervisor.run()


def stop_times(settings: Settings) -> dict[Part, float]:
    """Return how many seconds each process of a worker has to end, in the order of their start.

    They are stopped in the other order, one after another: what the last calls came to is told
    still.
    """
    return {Part.WEBHOOKS: 20.0, Part.DIAL: settings.lease, Part.CALL_TASK: 15.0}


def deliver(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Name in Flower.")] = "webhooks",
) -> None:
    """Run the process that delivers webhooks (`worker` and `up` run one already)."""
    settings = _settings(context)
    logs.set_up(settings.log_level)
    run.one(Part.WEBHOOKS, settings, name=name)


def secret(
    receiver: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECEIVER]",
            help="A receiver of the account by its number, or the URL that jobs name."
            " Default: all receivers of the account.",
        ),
    ] = None,
) -> None:
    """Print the secrets with which receivers verify their webhooks."""
    kept = Path.cwd() / FOLDER / KEPT_KEY  # where an `up` of this directory has made one
    own = kept.exists() and not os.environ.get("DISPATCHER_SECRET_KEY")
    given = {"secret_key": kept.read_text().strip()} if own else {}
    settings = Settings.load(**given)
    if receiver is None:
        tell(SecurityEvent.SECRETS_SHOWN, actor=actor(), receiver="all of the account")
        typer.echo("\n".join(secrets_shown.of_account(settings)))
        return
    tell(SecurityEvent.SECRETS_SHOWN, actor=actor(), receiver=origin(receiver))
    typer.echo("\n".join(secrets_shown.of(settings, receiver)))
    if hint := secrets_shown.mistaken(settings, receiver):
        typer.echo(hint, err=True)


def beat(context: typer.Context) -> None:
    """Run the clock that starts what is due."""
    settings = _settings(context)
    logs.set_up(settings.log_level)
    run.one(Part.BEAT, settings)


def gateway(context: typer.Context) -> None:
    """Run the HTTP gateway: API, console, metrics, callbacks."""
    settings = _settings(context)
    logs.set_up(settings.log_level)
    run.one(Part.GATEWAY, settings)


def flower(context: typer.Context) -> None:
    """Run Flower. Without DISPATCHER_FLOWER_AUTH, on a loopback address only."""
    settings = _settings(context)
    logs.set_up(settings.log_level)
    run.one(Part.FLOWER, settings)


def _settings(context: typer.Context) -> Settings:
    """Return the settings, with the Redis, the broker, the namespace and the sandbox of an `up`
    that runs here.
    """
    join_running()
    found = _connection(context)
    given = {
        "redis_url": found.url(),
        "broker_url": found.broker(),
        "namespace": found.namespace,
    }
    settings = Settings.load(**given)
    if found.running and found.running.sandbox_url and not settings.credentials:
        use_sandbox(os.environ, found.running.sandbox_url)
        return Settings.load(**given)
    return settings


def _connection(context: typer.Context) -> connection.Connection:
    """Return what the main options say, and what they do not, files of credentials."""
    credentials.take(os.environ)
    found = connection.of(context)
    return replace(
        found,
        redis_url=found.redis_url or os.environ.get("DISPATCHER_REDIS_URL"),
        broker_url=found.broker_url or os.environ.get("DISPATCHER_BROKER_URL"),
    )

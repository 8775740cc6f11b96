"""`health`: whether the processes of this machine or container are well. Asks nobody else."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from workers.health.check import Judge, troubles
from workers.health.folder import Folder, join_running, place
from workers.health.local_heartbeat import LocalHeartbeat, not_ready, unhealthy


class Named(StrEnum):
    """The roles as the command line has them."""

    WORKER = "worker"
    CALL_TASK = "call-task"
    WEBHOOKS = "webhooks"
    BEAT = "beat"
    GATEWAY = "gateway"
    FLOWER = "flower"


class Unhealthy(DispatcherError):
    """A process is not well, or is not there."""


def health(
    roles: Annotated[
        list[Named] | None,
        typer.Argument(help="The roles that must run here. Default: those that do, one at least."),
    ] = None,
    *,
    ready: Annotated[
        bool,
        typer.Option(
            "--ready", help="Fail also where one has not begun its work, or does not reach Redis."
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where the processes leave their heartbeats. Default: RUNTIME_DIRECTORY, as"
            " systemd sets it, or that of the `up` here, or a folder of this user's in TMPDIR."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the processes of this machine or container by what they tell: for health checks."""
    join_running()
    kept = Folder(folder or place(os.environ, os.getuid()))
    wanted = [Role[role.name] for role in roles or ()]
    heartbeats = [each for each in kept.heartbeats() if not wanted or each.role in wanted]
    judge, now = (not_ready if ready else unhealthy), since_boot()
    if as_json:
        typer.echo(json.dumps([_told(each, judge, now) for each in heartbeats], indent=2))
    else:
        for each in heartbeats:
            typer.echo(f"{each}: {judge(each, now) or 'well'}")
    _require_well(troubles(heartbeats, wanted, judge, now), heartbeats, kept)


def _require_well(trouble: list[str], heartbeats: list[LocalHeartbeat], kept: Folder) -> None:
    if trouble:
        raise Unhealthy("; ".join(trouble))
    if not heartbeats:
        raise Unhealthy(f"no process of the dispatcher runs here: no heartbeat in {kept.path}")


def _told(heartbeat: LocalHeartbeat, judge: Judge, now: float) -> dict[str, object]:
    seconds = round(now - heartbeat.at, 1)
    told = {name: value for name, value in asdict(heartbeat).items() if name != "started"}
    return {**told, "silent": seconds, "trouble": judge(heartbeat, now)}

"""Heartbeats: each process tells every few seconds that it runs, and what it is."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.process import Process, Role
from dispatcher.policy.processes import Roll
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.presence import Presence
from dispatcher.store.schema import PROCESS_FORGOTTEN, ProcessField


class Heartbeats(Repository):
    """The processes that run, and those that fell silent within the last hour."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._presence = Presence(connection, "processes", PROCESS_FORGOTTEN)

    def beat(self, process: Process) -> None:
        """Tell that a process runs now; forget those that have been silent for an hour."""
        self._presence.tell(process.id, _facts(process))

    def leave(self, id_: str) -> None:
        """Tell that a process ends as it was asked to."""
        self._presence.leave(id_)

    def roll(self) -> Roll:
        """Return who was heard of within the last hour, by role and name."""
        told = (_process(*each) for each in self._presence.told())
        processes = [process for process in told if process]
        order = list(Role)
        processes.sort(key=lambda p: (order.index(p.role), str(p), p.started))
        return Roll(self._now(), tuple(processes))


def _facts(process: Process) -> str:
    facts = {
        ProcessField.ROLE: process.role,
        ProcessField.NAME: process.name,
        ProcessField.HOST: process.host,
        ProcessField.PID: process.pid,
        ProcessField.VERSION: process.version,
        ProcessField.SETTINGS: dict(process.settings),
        ProcessField.STARTED: round(process.started),
        ProcessField.STILL: process.still,
        ProcessField.TELLS: list(process.tells),
    }
    return json.dumps(facts, separators=(",", ":"))


def _process(id_: str, heard: float, facts: str) -> Process | None:
    """Return who tells it; None for what another release tells otherwise."""
    try:
        return _read(id_, heard, json.loads(facts))
    except (ValueError, LookupError, TypeError):
        return None


def _read(id_: str, heard: float, told: Any) -> Process:
    return Process(
        id=id_,
        role=Role(told[ProcessField.ROLE]),
        name=told[ProcessField.NAME],
        host=told[ProcessField.HOST],
        pid=told[ProcessField.PID],
        version=told[ProcessField.VERSION],
        settings=told[ProcessField.SETTINGS],
        started=told[ProcessField.STARTED],
        heard=heard,
        still=told[ProcessField.STILL],
        tells=tuple(told.get(ProcessField.TELLS, ())),
    )

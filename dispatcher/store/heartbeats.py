"""Heartbeats: each process of the dispatcher tells every few seconds that it runs, and what it is.

Plain commands on one key, so that a user of Redis who may do little else (Flower's) can tell it.
"""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.process import Process, Role
from dispatcher.policy.processes import Roll
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import PROCESS_FORGOTTEN, ProcessField


class Heartbeats(Repository):
    """The processes that run, and those that fell silent within the last hour."""

    def beat(self, process: Process) -> None:
        """Tell that a process runs now; forget those that have been silent for an hour."""
        key, now = self._key("processes"), self._now()
        with plain_errors():
            pipe = self._pipeline()
            pipe.hset(key, process.id, f"{now:.0f} {_facts(process)}")
            pipe.pexpire(key, PROCESS_FORGOTTEN)
            pipe.hgetall(key)
            *_, found = pipe.execute()
            heard = {id_: float(text.partition(b" ")[0]) for id_, text in found.items()}
            gone = [id_ for id_, at in heard.items() if abs(now - at) > PROCESS_FORGOTTEN]
            if gone:
                self._redis.hdel(key, *gone)

    def leave(self, id_: str) -> None:
        """Tell that a process ends as it was asked to."""
        with plain_errors():
            self._redis.hdel(self._key("processes"), id_)

    def roll(self) -> Roll:
        """Return who was heard of within the last hour, by role and name."""
        with plain_errors():
            found: Any = self._redis.hgetall(self._key("processes"))
        told = (_process(id_.decode(), text.decode()) for id_, text in found.items())
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


def _process(id_: str, text: str) -> Process | None:
    """Return who tells it; None for what another release tells otherwise."""
    heard, _, facts = text.partition(" ")
    try:
        return _read(id_, float(heard), json.loads(facts))
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

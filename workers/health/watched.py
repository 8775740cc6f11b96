"""Watches over processes that we started: tells systemd of them, and the supervisor who hangs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from dispatcher.client.broker_rights import Part
from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from workers.health.check import troubles
from workers.health.folder import Folder, place
from workers.health.local_heartbeat import not_ready, unhealthy
from workers.health.systemd import Notifier

EVERY = 1.0
"""Seconds between two looks."""


class Watched:
    """Is called at every turn of the supervisor."""

    def __init__(
        self,
        roles: Iterable[Role],
        folder: Folder,
        notifier: Notifier,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roles, self._folder, self._notifier = list(roles), folder, notifier
        self._clock, self._next = clock, 0.0

    def __call__(self) -> None:
        """Look at the processes, once a second."""
        if not self._notifier.wanted or (now := self._clock()) < self._next:
            return
        self._next = now + EVERY
        heartbeats = self._folder.heartbeats()
        waiting = troubles(heartbeats, self._roles, not_ready, since_boot())
        trouble = troubles(heartbeats, (), unhealthy, since_boot())
        self._notifier.tell(ready=not waiting, trouble="; ".join(trouble))


def hung(pid: int) -> str:
    """Return why a process of this user should be started again, or empty."""
    with suppress(DispatcherError, OSError):
        heartbeats = [each for each in _folder().heartbeats() if each.pid == pid]
        return "; ".join(unhealthy(each, since_boot()) for each in heartbeats)
    return ""


ROLES = {
    Part.DIAL: Role.WORKER,
    Part.CALL_TASK: Role.CALL_TASK,
    Part.WEBHOOKS: Role.WEBHOOKS,
    Part.GATEWAY: Role.GATEWAY,
}
"""What the processes of `worker` and `gateway` are in what they tell of themselves."""


def watched(parts: Iterable[Part]) -> Watched:
    """Return what tells systemd of these processes, if it wants to know."""
    notifier = Notifier.taken_from(os.environ)
    return Watched([ROLES[part] for part in parts], _folder(), notifier)


def _folder() -> Folder:
    return Folder(place(os.environ, os.getuid()))

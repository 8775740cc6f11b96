"""Tells the machine that a process runs on how it is: by a file, and to systemd."""

from __future__ import annotations

import logging
import os

from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from workers.health.folder import Folder, place
from workers.health.local_heartbeat import LocalHeartbeat, unhealthy
from workers.health.systemd import Notifier

log = logging.getLogger(__name__)


class Local:
    """What tells it. A folder that cannot be written to is told of once: the work goes on."""

    def __init__(self, folder: Folder, notifier: Notifier) -> None:
        self._folder, self._notifier = folder, notifier
        self._usable = self._prepare()

    def tell(self, heartbeat: LocalHeartbeat) -> None:
        """Tell how the process is now."""
        self._notifier.tell(ready=heartbeat.ready, trouble=unhealthy(heartbeat, heartbeat.at))
        if self._usable:
            try:
                self._folder.write(heartbeat)
            except OSError as error:
                self._give_up(error)

    def end(self, role: Role, pid: int) -> None:
        """Tell that it ends."""
        self._notifier.stopping()
        self._folder.remove(role, pid)

    def _prepare(self) -> bool:
        try:
            self._folder.prepare()
        except (DispatcherError, OSError) as error:
            self._give_up(error)
            return False
        return True

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        log.warning("`voice-dispatcher health` will not see this process: %s", error)


def of_this_process() -> Local:
    """Return that of this process."""
    return Local(Folder(place(os.environ, os.getuid())), Notifier.taken_from(os.environ))

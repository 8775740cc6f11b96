"""Redis' append-only file, which holds what was removed until Redis rewrites it."""

from __future__ import annotations

import time
from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors

LOOK_EVERY = 0.1  # seconds


class AppendOnly(Repository):
    """Whether there is such a file, and having it rewritten."""

    def is_on(self) -> bool:
        """Tell whether Redis writes one."""
        return bool(self._told().get("aof_enabled"))

    def rewrite(self, within: float) -> bool:
        """Have the file rewritten from what Redis holds now; tell whether it is done and good
        within so many seconds. It goes on by itself otherwise.

        One that is under way already began before, and its file may hold what was removed since:
        it is waited for, and another one begun. Raises NotAllowed without the right +bgrewriteaof.
        """
        deadline, begun = time.monotonic() + within, False
        while True:
            told = self._told()
            if not (told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"]):
                if begun:
                    return bool(told["aof_last_bgrewrite_status"] == "ok")
                with plain_errors():
                    self._redis.bgrewriteaof()
                begun = True
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY)

    def _told(self) -> dict[str, Any]:
        with plain_errors():
            told: dict[str, Any] = self._redis.info("persistence")
        return told

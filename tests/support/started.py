"""Programs that a test starts, waits for, and ends."""

from __future__ import annotations

import subprocess
from typing import Any, Self


class Started:
    """Runs in a `with` block. A program that does not come up is ended, too: nothing is left."""

    _process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Set `_process`."""
        raise NotImplementedError

    def wait_until_up(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            with self._process as process:
                process.kill()

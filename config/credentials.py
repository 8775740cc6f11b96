"""Settings from files, one each: what systemd, Docker and Kubernetes hand out as credentials.

A file is named as its variable, such as `DISPATCHER_SECRET_KEY`; systemd may put a word before it
(`worker_DISPATCHER_SECRET_KEY`). What the environment says is not overruled.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from dispatcher.errors import UsageError

FOLDER: Final = "CREDENTIALS_DIRECTORY"
"""The variable that names the folder, as systemd.exec(5) has it."""
_NAMED = re.compile(r"(?:[a-z][a-z-]*_)?([A-Z][A-Z0-9_]*)")


class UnreadableCredential(UsageError):
    """A credential is there and cannot be read."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{FOLDER}: {file} cannot be read ({why}): give this process' user access")


def take(environ: MutableMapping[str, str]) -> None:
    """Put into the environment what lies in the folder. Raises UnreadableCredential."""
    if not (folder := environ.get(FOLDER)):
        return
    try:
        files = sorted(Path(folder).iterdir())
    except OSError as error:
        raise UnreadableCredential(Path(folder), error.strerror or "?") from None
    for file in files:
        named = _NAMED.fullmatch(file.name)
        if named and not environ.get(named[1]):
            environ[named[1]] = _read(file)


def _read(file: Path) -> str:
    """Return what a file says, without the line break that editors put at its end."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableCredential(file, getattr(error, "strerror", None) or "not UTF-8") from None

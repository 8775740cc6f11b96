"""A folder for heartbeats, and a service manager that listens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli_shell import Shell
from support.service_manager import ServiceManager, listening
from workers.health.folder import Folder


@pytest.fixture
def manager() -> Iterator[ServiceManager]:
    with listening() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "heartbeats")
    made.prepare()
    return made


@pytest.fixture
def shell(tmp_path: Path, folder: Folder) -> Shell:
    """A command line that knows of no Redis, and finds the folder."""
    return Shell(tmp_path, RUNTIME_DIRECTORY=str(folder.path))

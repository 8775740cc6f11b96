"""A process that a test leaves behind is found and ended, and a thread of ours is found; what a
fixture keeps is not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dispatcher.store import Store
from support import leftovers
from support.leftovers import none_left
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.schema_guard import SchemaGuard

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
SLEEP = ["sleep", "1000"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "ENDS_WITHIN", 0.1)


def test_a_child_is_found_and_ended(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="sleep 1000"), none_left(tmp_path):
        child = subprocess.Popen(SLEEP)
    assert child.wait(30) < 0


def test_what_a_child_left_to_nobody_is_found_by_the_folder(tmp_path: Path) -> None:
    """What it prints into ends only when the last process that has it open has ended."""
    reading, writing = os.pipe()
    orphaned = f"HOME={tmp_path} setsid sleep 1000 &"
    with os.fdopen(reading, "rb") as end, os.fdopen(writing, "wb") as printed:
        with pytest.raises(AssertionError, match="sleep 1000"), none_left(tmp_path):
            subprocess.run(orphaned, shell=True, stdout=printed, check=True)
        printed.close()
        assert end.read() == b""


def test_what_was_told_of_a_folder_whose_name_only_begins_so_is_not_found(tmp_path: Path) -> None:
    """Another worker of the run has it: `gw10`, where this one's is `gw1`."""
    orphaned = f"HOME={tmp_path}0 setsid sleep 1000 >/dev/null & echo $!"
    with none_left(tmp_path):
        made = subprocess.run(orphaned, shell=True, stdout=subprocess.PIPE, check=True)
    os.kill(int(made.stdout), signal.SIGKILL)


def test_what_ended_or_was_there_before_is_not_found(tmp_path: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as earlier:
        with none_left(tmp_path):
            subprocess.run(["true"], check=True)
            assert earlier.poll() is None
        assert earlier.poll() is None


def test_a_thread_of_a_process_of_ours_is_found(server: EmbeddedServer, tmp_path: Path) -> None:
    guard = SchemaGuard()
    with pytest.raises(AssertionError, match="schema"), none_left(tmp_path):
        guard.watch(Store.from_url(server.url))
    guard._ended.set()


def test_a_thread_of_a_library_is_not_found(tmp_path: Path) -> None:
    go_on = threading.Event()
    with none_left(tmp_path):
        threading.Thread(target=go_on.wait).start()
    go_on.set()

"""Reports in a folder: whole, of processes that run, and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from workers.health.folder import Folder, UnsafeFolder, place
from workers.health.local_heartbeat import LocalHeartbeat
from workers.health.process_start import started

OURS = LocalHeartbeat(
    Role.BEAT,
    "beat",
    os.getpid(),
    at=5.5,
    ready=True,
    unreached="away",
    stuck="still",
    started=started(os.getpid()),
)


def gone() -> int:
    """Return the id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_what_is_written_is_read(folder: Folder) -> None:
    folder.write(OURS)
    assert folder.heartbeats() == [OURS]
    folder.remove(OURS.role, OURS.pid)
    assert folder.heartbeats() == []


def test_nothing_is_told_of_a_process_that_has_gone(folder: Folder) -> None:
    folder.write(LocalHeartbeat(Role.WORKER, "worker", gone(), at=1))
    assert folder.heartbeats() == []


def test_who_starts_drops_what_those_who_have_gone_have_left(folder: Folder) -> None:
    folder.write(LocalHeartbeat(Role.WORKER, "worker", gone(), at=1))
    folder.write(LocalHeartbeat(Role.GATEWAY, "gateway", os.getpid(), at=1))  # of this id, before
    folder.write(LocalHeartbeat(Role.BEAT, "beat", os.getppid(), at=1))
    folder.prepare()
    assert [each.role for each in folder.heartbeats()] == [Role.BEAT]


def test_nothing_is_told_of_what_ran_before_the_machine_was_started(folder: Folder) -> None:
    """Its number may be another process' by now, which must not be taken for it."""
    folder.write(LocalHeartbeat(Role.WORKER, "worker", os.getpid(), at=since_boot() + 1e6))
    assert folder.heartbeats() == []


@pytest.mark.skipif(OURS.started is None, reason="this system does not tell")
def test_nothing_is_told_of_one_whose_number_another_process_has_by_now(folder: Folder) -> None:
    assert OURS.started
    folder.write(replace(OURS, started=OURS.started - 1))
    assert folder.heartbeats() == []


def test_one_of_which_no_start_is_known_is_told_of_by_its_number(folder: Folder) -> None:
    folder.write(replace(OURS, started=None))
    assert len(folder.heartbeats()) == 1


WRONG = '{"role": "worker", "name": "w", "pid": 1, "at": "now"}'


@pytest.mark.parametrize("text", ["", "{", "[]", '{"role": "pilot"}', "\x00", WRONG])
def test_what_another_release_wrote_is_passed_over(folder: Folder, text: str) -> None:
    folder.write(OURS)
    (folder.path / f"worker-{os.getppid()}.json").write_text(text)
    assert folder.heartbeats() == [OURS]


def test_a_heartbeat_has_no_more_than_its_fields(folder: Folder) -> None:
    folder.write(OURS)
    (file,) = folder.path.iterdir()
    assert json.loads(file.read_text()).keys() == set(LocalHeartbeat.__slots__)


@pytest.mark.parametrize("mode", [0o777, 0o770], ids=oct)
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "open"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(UnsafeFolder, match="only this user may write to"):
        Folder(path).prepare()
    with pytest.raises(UnsafeFolder):
        Folder(path).heartbeats()


def test_a_link_that_somebody_laid_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafeFolder):
        Folder(tmp_path / "link").prepare()


def test_the_folder_is_this_users_alone(folder: Folder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_where_it_is() -> None:
    assert place({"RUNTIME_DIRECTORY": "/run/vd:/run/other"}, 7) == Path("/run/vd")
    assert place({"TMPDIR": "/var/tmp"}, 7) == Path("/var/tmp/voice-dispatcher-7")
    assert place({}, 7) == Path("/tmp/voice-dispatcher-7")


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
def test_root_reads_that_of_another_user_and_writes_nothing_there(folder: Folder) -> None:
    folder.write(OURS)
    os.chown(folder.path, 12345, 12345)
    assert folder.heartbeats() == [OURS]
    with pytest.raises(UnsafeFolder):
        folder.prepare()

"""The folder of `up`: who may use it, and how others find what runs there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.running import find_running, is_locked
from workers.devstack.run_folder import RunFolder, RunFolderError

CONTENT = {"redis_url": "redis://:secret@127.0.0.1:7001/0", "gateway_url": "http://127.0.0.1:8000"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        assert folder.path == tmp_path / ".voice-dispatcher"
        assert mode(folder.path) == 0o700
        assert (folder.path / ".gitignore").read_text() == "*\n"


def test_what_runs_is_found_from_its_directory_and_below(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    with RunFolder(tmp_path) as folder:
        folder.announce({**CONTENT, "flower_url": None, "from_a_later_version": 1})
        for start in (tmp_path, below):
            found = find_running(start)
            assert found
            assert (found.pid, found.redis_url) == (os.getpid(), CONTENT["redis_url"])
            assert (found.gateway_url, found.flower_url) == (CONTENT["gateway_url"], None)


def test_the_nearest_one_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    with RunFolder(tmp_path) as outer, RunFolder(inner) as nearest:
        outer.announce({"redis_url": "redis://outer"})
        nearest.announce({"redis_url": "redis://inner"})
        found = find_running(inner)
        assert found
        assert found.redis_url == "redis://inner"


def test_the_announcement_is_its_owners_alone_and_not_in_repr(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.announce(CONTENT)
        assert mode(folder.announcement) == 0o600
        assert "secret" not in repr(find_running(tmp_path))


def test_an_announcement_can_be_replaced(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.announce(CONTENT)
        folder.announce({**CONTENT, "sandbox_url": "http://127.0.0.1:9000"})
        found = find_running(tmp_path)
        assert found
        assert found.sandbox_url == "http://127.0.0.1:9000"


def test_a_second_up_is_told_of_the_first(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path),
        pytest.raises(RunFolderError, match=rf"already running \(pid {os.getpid()}\).*Ctrl-C"),
        RunFolder(tmp_path),
    ):
        pytest.fail("two hold one folder")


def test_a_look_from_outside_does_not_keep_up_from_starting(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        pass
    assert not is_locked(folder.path)
    with RunFolder(tmp_path):
        assert is_locked(folder.path)


def test_a_clean_stop_takes_the_announcement_away(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.announce(CONTENT)
    assert not folder.announcement.exists()
    assert find_running(tmp_path) is None
    with RunFolder(tmp_path):
        pass


KILLED = """
import os, sys
from pathlib import Path
from workers.devstack.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])) as folder:
    folder.announce({"redis_url": "redis://gone"})
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_up_left_is_passed_by_and_taken_over(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    left = tmp_path / ".voice-dispatcher" / "up.json"
    assert left.exists()
    assert find_running(tmp_path) is None
    with RunFolder(tmp_path):
        assert not left.exists()


def test_a_live_process_that_does_not_hold_the_lock_is_not_up(tmp_path: Path) -> None:
    """A process id is used again sooner or later; the lock is not."""
    with RunFolder(tmp_path) as folder:
        pass
    folder.announcement.write_text(json.dumps({"pid": os.getpid(), **CONTENT}))
    assert find_running(tmp_path) is None


def test_the_folder_of_another_user_is_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunFolder(tmp_path) as folder:
        folder.announce(CONTENT)
        assert find_running(tmp_path)
        monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
        assert find_running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}'])
def test_an_announcement_that_says_nothing_is_passed_by(tmp_path: Path, text: str) -> None:
    with RunFolder(tmp_path) as folder:
        folder.announcement.write_text(text)
        assert find_running(tmp_path) is None


def test_without_any_folder_nothing_runs(tmp_path: Path) -> None:
    assert find_running(tmp_path / "no" / "such") is None


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / ".voice-dispatcher").write_text("a file")
    with pytest.raises(RunFolderError, match=rf"{tmp_path}.*cannot be used"), RunFolder(tmp_path):
        pytest.fail("a file is no folder")

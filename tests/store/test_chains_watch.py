"""The chains file is published when it changes, and a wrong one changes nothing."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from dispatcher.store import Store
from dispatcher.store.chains_files import FileInForce, different
from dispatcher.store.on_call import UnreadableOnCall
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from workers.engine.chains_watch import TOLD_EVERY, ChainsWatch

FILE = (
    "contacts: {{ann: {{number: '+81801234000{}'}}}}\nchains: {{all: {{steps: [{{call: ann}}]}}}}\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chains.yaml"


def look(store: Store, path: Path) -> ChainsWatch:
    watch = ChainsWatch(store, path)
    watch.look()
    watch.look()
    return watch


def version(store: Store) -> int:
    found = store.on_call.get()
    return found.version if found else 0


def test_what_two_looks_find_is_published_once(store: Store, path: Path) -> None:
    path.write_text(FILE.format(1))
    watch = ChainsWatch(store, path)
    watch.look()
    assert version(store) == 0
    watch.look()
    watch.look()
    assert version(store) == 1
    look(store, path)  # another process, or a restart
    assert version(store) == 1


def test_a_file_that_is_being_written_is_not_taken_for_a_whole_one(
    store: Store, path: Path
) -> None:
    path.write_text(FILE.format(1))
    watch = look(store, path)
    whole = FILE.format(2) + "routes:\n  - {chain: all}\n"
    for end in range(0, len(whole), 10):
        path.write_text(whole[:end])
        watch.look()
    assert (version(store), store.on_call.refused()) == (1, "")
    path.write_text(whole)
    watch.look()
    watch.look()
    assert version(store) == 2


def test_a_wrong_file_is_refused_once_and_the_old_one_stays(store: Store, path: Path) -> None:
    path.write_text(FILE.format(1))
    watch = look(store, path)
    path.write_text("contacts: {ann: {number: '12'}}\n")
    for _ in range(4):
        watch.look()
    assert version(store) == 1
    assert "chains.yaml:1: contacts.ann" in store.on_call.refused()
    told = [event.kind for event in store.events.after()]
    assert told.count("chains.refused") == 1
    path.write_text(FILE.format(1))
    watch.look()
    watch.look()
    assert (version(store), store.on_call.refused()) == (1, "")


def test_a_file_that_is_gone_changes_nothing(store: Store, path: Path) -> None:
    path.write_text(FILE.format(1))
    watch = look(store, path)
    path.unlink()
    watch.look()
    watch.look()
    assert version(store) == 1
    assert "cannot be read" in store.on_call.refused()


class Steady:
    """A clock that goes on by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_redis_lost_is_published_again(store: Store, path: Path) -> None:
    path.write_text(FILE.format(1))
    steady = Steady()
    watch = ChainsWatch(store, path, steady=steady)
    watch.look()
    watch.look()
    assert version(store) == 1
    redis_of(store).delete(key_of(store, "on_call"))
    watch.look()
    assert version(store) == 0
    steady.now += TOLD_EVERY
    watch.look()
    assert version(store) == 1


def test_two_files_that_differ_are_told_and_do_not_take_turns(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    steady, other = Steady(), path.with_name("other.yaml")
    path.write_text(FILE.format(1))
    other.write_text(FILE.format(2))
    watches = [ChainsWatch(store, each, steady=steady) for each in (path, other)]
    for _ in range(6):
        for watch in watches:
            watch.look()
        steady.now += TOLD_EVERY
    assert version(store) == 2
    watched = store.chains_files.watched()
    assert different(watched)
    assert [file.path for file in watched] == [str(path), str(other)]
    assert caplog.text.count("chains files differ") == 2  # once in each process
    watches[1].stop()
    steady.now += TOLD_EVERY
    watches[0].look()
    assert version(store) == 3
    found = store.on_call.get()
    assert found
    assert found.on_call.contacts["ann"].numbers == ("+818012340001",)


def test_while_a_file_is_watched_nothing_else_comes_into_force(
    store: Store, path: Path, clock: Clock
) -> None:
    path.write_text(FILE.format(1))
    store.chains_files.require_none()
    look(store, path)
    with pytest.raises(FileInForce, match=re.escape(f"{path} on {socket.gethostname()}")):
        store.chains_files.require_none()
    clock.forward(60)  # the process is gone without a word
    store.chains_files.require_none()


def test_what_another_release_published_is_told_and_published_anew(
    store: Store, path: Path
) -> None:
    path.write_text(FILE.format(1))
    steady = Steady()
    watch = ChainsWatch(store, path, steady=steady)
    watch.look()
    watch.look()
    newer = '{"contacts":{"ann":{"numbers":["+818012340002"],"pager":"x"}}}'
    redis_of(store).hset(key_of(store, "on_call"), "config", newer)
    with pytest.raises(UnreadableOnCall, match="published by another release") as raised:
        store.on_call.get()
    assert "+81" not in str(raised.value)
    steady.now += TOLD_EVERY
    watch.look()
    assert version(store) == 2

"""The chains file is published when it changes, and a wrong one changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.store import Store
from workers.engine.chains_watch import ChainsWatch

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

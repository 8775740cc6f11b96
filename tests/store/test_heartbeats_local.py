"""What a heartbeat leaves on its own machine, whether Redis is there or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.policy.processes import STILL_AFTER
from dispatcher.store import Store
from support.polling import eventually
from support.redis_servers import RedisProcess
from workers.engine import heartbeat
from workers.engine.heartbeat import Heartbeat, Work
from workers.health.folder import Folder
from workers.health.local import Local
from workers.health.systemd import Notifier


class Machine:
    """A process on a machine: its heartbeat, what it has begun, and what it left."""

    def __init__(self, store: Store, path: Path, *, due: bool = True) -> None:
        self.now, self.begun, self.due = 0.0, 0, due
        self.folder = Folder(path)
        work = Work(lambda: self.begun, "has begun no task", due=lambda: self.due)
        local = Local(self.folder, Notifier())
        self.heart = Heartbeat(
            store,
            Role.WORKER,
            "worker",
            {},
            works=[work],
            local=local,
            steady=lambda: self.now,
        )

    def beat(self, after: float = 0) -> tuple[bool, str, str]:
        """Return whether it says that it is ready, what kept it from Redis, what stands still."""
        self.now += after
        self.heart.turn()
        (told,) = self.folder.heartbeats()
        return told.ready, told.unreached, told.stuck


def test_it_says_when_its_work_has_begun(store: Store, tmp_path: Path) -> None:
    machine = Machine(store, tmp_path / "r")
    assert machine.beat() == (False, "", "")
    machine.heart.ready()
    assert machine.beat() == (True, "", "")
    machine.heart.stop()
    assert machine.folder.heartbeats() == []


def test_what_it_should_have_begun_for_long_is_told(store: Store, tmp_path: Path) -> None:
    machine = Machine(store, tmp_path / "r")
    machine.beat()
    assert machine.beat(STILL_AFTER)[2] == ""
    assert machine.beat(1)[2] == "has begun no task, for 2 min"
    machine.begun += 1
    assert machine.beat(1)[2] == ""


def test_where_there_is_nothing_to_begin_nothing_is_wrong(store: Store, tmp_path: Path) -> None:
    """As without beat, or without a broker: a new start would not help."""
    machine = Machine(store, tmp_path / "r", due=False)
    machine.beat()
    assert machine.beat(STILL_AFTER + 100)[2] == ""


def test_a_redis_that_is_away_is_told_and_nothing_is_held_against_the_process(
    tmp_path: Path,
) -> None:
    with RedisProcess(tmp_path / "redis") as server:
        store = Store.from_url(server.url)
        machine = Machine(store, tmp_path / "r")
        assert machine.beat()[1] == ""
        server.kill()
        _, unreached, stuck = machine.beat(STILL_AFTER + 1)
        assert "Redis" in unreached
        assert stuck == ""
        assert machine.beat(STILL_AFTER + 1)[2] == ""
        server.start()
        assert machine.beat(1)[1:] == ("", "")
        assert machine.beat(STILL_AFTER)[2] == "has begun no task, for 2 min"


def test_its_thread_tells_at_once_when_the_work_has_begun(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEATS_EVERY", 3600.0)
    machine = Machine(store, tmp_path / "r")
    machine.heart.start()
    eventually(machine.folder.heartbeats, "a heartbeat")
    machine.heart.ready()
    eventually(lambda: machine.folder.heartbeats()[0].ready, "it is ready")
    machine.heart.stop()
    assert machine.folder.heartbeats() == []


@pytest.mark.parametrize("error", [DispatcherError("no +819012345678")])
def test_a_number_in_an_error_is_masked(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: DispatcherError
) -> None:
    machine = Machine(store, tmp_path / "r")

    def fail() -> None:
        raise error

    monkeypatch.setattr(machine.heart, "beat", fail)
    assert "+819012345678" not in machine.beat()[1]

"""What the workers do with actions, and with the log of what people did."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.client.messages import Message, Messenger
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.bulk import LEASE
from support.clock import Clock
from support.redis_inside import redis_of
from support.store_jobs import failed
from workers.engine.ticks import Pump, Purge, Retrigger

FAILED = Filter(states=(State.FAILED,))
DAY = 86400.0


class Recorder(Messenger):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def _send(self, task: str, bundled: list[Message]) -> int:
        self.sent += [(task, ids) for _, ids in bundled]
        return len(bundled)

    def retriggers(self) -> list[Any]:
        return [list(ids) for task, ids in self.sent if task == "dispatcher.retrigger"]


@pytest.fixture
def messenger() -> Recorder:
    return Recorder()


def begun(store: Store, many: int) -> str:
    for _ in range(many):
        failed(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor="console:ops")
    return seen.id


def test_a_driver_has_what_was_reopened_dialled_and_tells_how_it_stands(
    store: Store, messenger: Recorder
) -> None:
    action = begun(store, 120)
    nudges: list[int] = []
    drive = Retrigger(store, messenger, lambda: nudges.append(1))
    told = drive(action)
    assert told == {
        "action": action,
        "what": "retry",
        "state": "done",
        "done": 120,
        "skipped": 0,
        "remaining": 0,
    }
    assert len(nudges) == 3
    assert messenger.retriggers() == []


def test_a_driver_goes_on_with_a_message_to_itself_when_its_time_is_up(
    store: Store, messenger: Recorder
) -> None:
    action = begun(store, 120)
    drive = Retrigger(store, messenger, lambda: None, within=0)
    assert drive(action)["remaining"] == 70
    assert messenger.retriggers() == [[action]]
    assert [drive(action)["remaining"] for _ in range(2)] == [20, 0]
    assert len(messenger.retriggers()) == 2


def test_a_message_for_an_action_that_is_over_or_gone_does_nothing(
    store: Store, messenger: Recorder
) -> None:
    action = begun(store, 1)
    drive = Retrigger(store, messenger, lambda: None)
    assert [drive(action)["state"] for _ in range(2)] == ["done", "done"]
    assert drive("nosuchact") == {"action": "nosuchact", "state": "gone"}
    assert messenger.retriggers() == []


def test_the_pump_sends_for_an_action_whose_driver_was_lost(
    store: Store, clock: Clock, messenger: Recorder
) -> None:
    action = begun(store, 60)
    pump = Pump(store, messenger)
    assert "actions" not in pump()
    clock.forward(LEASE + 1)
    assert pump()["actions"] == 1
    assert "actions" not in pump()
    assert messenger.retriggers() == [[action]]


def test_where_no_action_is_under_way_the_pump_looks_once(
    store: Store, messenger: Recorder
) -> None:
    assert store.bulk.take() == []  # looks once for all whether the records are of our schema
    before = redis_of(store).info("commandstats")
    assert store.bulk.take() == []
    after = redis_of(store).info("commandstats")
    assert _calls(after, "exists") - _calls(before, "exists") == 1
    assert _calls(after, "fcall") == _calls(before, "fcall")


def _calls(stats: Any, command: str) -> int:
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_the_purge_forgets_what_people_did_after_a_time_of_its_own(
    store: Store, clock: Clock
) -> None:
    store.audit.record("cli:kim", "look", "one")
    clock.forward(2 * DAY)
    store.audit.record("cli:kim", "look", "two")
    purge = Purge(store, retention=DAY, audit_retention=3 * DAY, campaign_retention=3 * DAY)
    assert purge() == {}
    clock.forward(1.5 * DAY)
    assert purge() == {"audit": 1}
    assert [entry.target for entry in store.audit.read()] == ["two"]

"""The whole on RabbitMQ: in a vhost of quorum queues, with a limited user, restarted and killed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support import rabbitmq
from support.e2e_stack import CALL_QUEUE, QUICK, Up, numbers
from support.rabbitmq import RabbitNode, Vhost

pytestmark = pytest.mark.skipif(bool(rabbitmq.missing()), reason=rabbitmq.missing())
MANY = 5
VHOST = "calls"


@dataclass
class Came:
    """What came of the calls, by the sandbox's books and by the node's."""

    called: Counter[str]
    queues: dict[str, dict[str, Any]]
    seconds: dict[str, float] = field(default_factory=dict)
    """From the node's return until the calls that were enqueued then had ended, by what it did."""


def on_rabbitmq(folder: Path) -> Came:
    """Dial before and after a restart, and before and after a kill."""
    rights = rabbitmq.smallest_rights("vd")
    vhost = Vhost(VHOST, "quorum", {"dispatcher": rights})
    with (
        RabbitNode(folder / "node", (vhost,), users=("dispatcher",)) as node,
        Up(
            folder / "up",
            "--no-flower",
            "--no-gateway",
            **QUICK,
            DISPATCHER_BROKER_URL=node.url(VHOST, "dispatcher"),
        ) as up,
    ):
        came = Came(Counter(), node.queues(VHOST))
        _dialled(up)
        for what, bring_about in _events(node).items():
            bring_about()
            began = time.monotonic()
            _dialled(up)
            came.seconds[what] = time.monotonic() - began
        came.called = up.sandbox.books()
    return came


def _events(node: RabbitNode) -> dict[str, Callable[[], None]]:
    def killed() -> None:
        node.kill()
        node.start()

    return {"restarted": node.restart, "killed": killed}


def _dialled(up: Up) -> None:
    up.ended(up.enqueue(numbers("0001", MANY)), 180)


@pytest.mark.played(by=on_rabbitmq)
class TestRabbitMQ:
    """In a vhost that makes queues quorum, by a user with the smallest rights."""

    def test_queues_have_the_type_of_their_vhost_and_outlive_a_restart(self, outcome: Came) -> None:
        ours = {name: row for name, row in outcome.queues.items() if "pidbox" not in name}
        assert CALL_QUEUE in ours
        assert {row["type"] for row in ours.values()} == {"quorum"}
        assert all(row["durable"] for row in ours.values())

    def test_everybody_is_called_once(self, outcome: Came) -> None:
        assert set(outcome.called.values()) == {1}
        assert outcome.called.total() == 3 * MANY

    def test_dialling_goes_on_soon(self, outcome: Came) -> None:
        """Within a few seconds (`make bench ARGS=brokers`); a busy machine may need more."""
        assert all(seconds < 30 for seconds in outcome.seconds.values()), outcome.seconds

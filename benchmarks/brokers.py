"""RabbitMQ restarted and killed while calls are made: who was called, and how soon it goes on.

The stack and the node are those of the tests (tests/support).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from celery import Celery

from benchmarks.figures import Column, Figure, Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support import rabbitmq
from support.e2e_stack import CALL_QUEUE, QUICK, SAY, Up, numbers
from support.polling import eventually
from support.rabbitmq import RabbitNode, Vhost

QUORUM, CLASSIC = "quorum", "classic"
USER = "dispatcher"
FEW = 5  # jobs that are enqueued when the node is back
GOES_ON_WITHIN = 60.0
ENDS_WITHIN = 300.0


AFTER = (
    Column("times"),
    Column("went on"),
    Column("median", "s", ".1f"),
    Column("longest", "s", ".1f"),
)
AMID = (
    Column("called once"),
    Column("called twice"),
    Column("no call"),
    Column("all called after", "s"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Restart and kill a node time and again; then kill it in the middle of jobs."""
    if rabbitmq.missing():
        print(rabbitmq.missing(), file=sys.stderr)
        return
    times, some, jobs = (3, 1, 100) if quick else (20, 5, 500)
    after = Table("From RabbitMQ's return until jobs that are enqueued then are dialled", AFTER)
    amid = Table(f"{jobs} jobs, RabbitMQ killed when a third was called, and back", AMID)
    for queues in (QUORUM, CLASSIC):
        with _stack(queues) as stack:
            stack.up.ended(stack.up.enqueue(numbers("0001", FEW)), ENDS_WITHIN)
            for name, bring_about in stack.faults().items():
                most = (queues, name) == (QUORUM, "restarted")
                many = times if most else some
                after.add(f"{queues}, {name}", *_again(stack, bring_about, many))
            for name, send in stack.producers().items():
                amid.add(f"{queues}, sent by {name}", *_amid(stack, send, jobs))
    yield after
    yield amid


@dataclass(frozen=True)
class _Stack:
    node: RabbitNode
    up: Up
    broker: str

    def faults(self) -> dict[str, Callable[[], None]]:
        return {"restarted": self.node.restart, "killed": self.kill}

    def producers(self) -> dict[str, Callable[[list[str]], object]]:
        return {"Python": self.up.enqueue, "`dispatcher.call`": self.send}

    def kill(self) -> None:
        self.node.kill()
        self.node.start()

    def send(self, who: list[str]) -> None:
        """Send as a service does that asks for confirmations."""
        confirmed = {"confirm_publish": True}
        with Celery(broker=self.broker, set_as_current=False) as app:
            app.conf.broker_transport_options = confirmed
            for each in who:
                asked = {"recipient": each, "say": SAY}
                app.send_task("dispatcher.call", kwargs=asked, queue=CALL_QUEUE)


@contextmanager
def _stack(queues: str) -> Iterator[_Stack]:
    vhost = Vhost("calls", queues, {USER: rabbitmq.smallest_rights("vd")})
    with (
        tempfile.TemporaryDirectory(prefix="brokers-") as folder,
        RabbitNode(Path(folder) / "node", (vhost,), users=(USER,)) as node,
        Up(
            Path(folder) / "up",
            "--no-flower",
            "--no-gateway",
            **QUICK,
            DISPATCHER_BROKER_URL=node.url("calls", USER),
        ) as up,
    ):
        yield _Stack(node, up, node.url("calls", USER))


def _again(stack: _Stack, bring_about: Callable[[], None], times: int) -> list[Figure]:
    took = []
    for _ in range(times):
        bring_about()
        began = time.monotonic()
        who = set(numbers("0001", FEW))
        stack.up.enqueue(who)
        try:
            eventually(lambda who=who: who <= stack.up.sandbox.books().keys(), "", GOES_ON_WITHIN)
            took.append(time.monotonic() - began)
        except AssertionError:
            print(f"not dialled within {GOES_ON_WITHIN:g} s", file=sys.stderr, flush=True)
    return [times, len(took), took or None, max(took, default=None)]


def _amid(stack: _Stack, send: Callable[[list[str]], object], jobs: int) -> list[float]:
    began = time.monotonic()
    who = numbers("0001", jobs)

    def called() -> list[int]:
        books = stack.up.sandbox.books()
        return [books[each] for each in who]

    send(who)
    eventually(lambda: sum(called()) > jobs // 3, "a third is called", ENDS_WITHIN)
    stack.kill()
    eventually(lambda: all(called()), "all are called", ENDS_WITHIN)
    time.sleep(3 * float(QUICK["DISPATCHER_EVIDENCE_WINDOW"].rstrip("s")))  # who comes twice, late
    found = called()
    counts = [found.count(1), sum(n > 1 for n in found), found.count(0)]
    return [*counts, time.monotonic() - began]

"""Beat and the gateway tell of each other's end, by mail and event once, and by pings that stop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from dispatcher.model.process import Role
from dispatcher.store import Store
from support.forked import Forked
from support.mail_server import Mailbox, mail_server
from support.polling import eventually
from support.ports import free_port
from support.redis_servers import RedisProcess
from support.webhook_receiver import Receiver, receiving
from workers.engine.heartbeat import Heartbeat

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 180.0


class Seen(NamedTuple):
    """What people and programs were told in the whole story."""

    subjects: list[str]
    texts: list[str]
    events: list[tuple[str, str]]
    pings: Counter[str]
    logs: str


class Place(NamedTuple):
    store: Store
    box: Mailbox
    pings: Receiver
    variables: dict[str, str]
    log: Path

    def start(self, role: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return Forked(
                [sys.executable, "-m", "workers.run", role],
                cwd=ROOT,
                env=self.variables,
                stdout=log,
                stderr=log,
            )

    def runs(self, role: Role) -> None:
        eventually(lambda: self.store.heartbeats.roll().of(role), f"{role} runs", WITHIN)

    def mails(self, many: int) -> None:
        eventually(lambda: len(self.box.mails) >= many, f"{many} mails", WITHIN)


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    with (
        RedisProcess(folder / "redis") as server,
        mail_server() as box,
        receiving() as pings,
    ):
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DISPATCHER_REDIS_URL": server.url,
            "DISPATCHER_GATEWAY_PORT": str(free_port()),
            "DISPATCHER_ALARM_EMAIL": "oncall@example.com",
            "DISPATCHER_ALARM_AFTER": "10s",
            "DISPATCHER_SMTP_URL": f"smtp://127.0.0.1:{box.port}",
            "DISPATCHER_HEARTBEAT_URL": f"{pings.url}/alive/Hunter2",
            "DISPATCHER_HEARTBEAT_FAIL_URL": f"{pings.url}/fail/Hunter2",
        }
        store = Store.from_url(server.url)
        yield Place(store, box, pings, variables, folder / "log")
        store.close()


def each_ends_and_the_other_tells(folder: Path) -> Seen:
    with place(folder) as at:
        worker = Heartbeat(at.store, Role.WORKER, "worker", {})
        worker.start()
        beat, gateway = at.start("beat"), at.start("gateway")
        try:
            at.runs(Role.BEAT)
            at.runs(Role.GATEWAY)
            eventually(lambda: at.pings.at("/alive/Hunter2"), "a ping", WITHIN)
            beat.kill()  # the gateway tells
            at.mails(1)
            beat.wait()
            beat = at.start("beat")
            at.mails(2)
            at.runs(Role.BEAT)
            gateway.kill()  # beat tells, of the worker
            gateway.wait()
            worker.stop()
            at.mails(3)
            eventually(lambda: at.pings.at("/fail/Hunter2"), "a ping of failure", WITHIN)
        finally:
            worker.stop()
            for process in (beat, gateway):
                process.kill()
                process.wait()
        return Seen(
            at.box.subjects,
            [mail.get_content() for mail in at.box.mails],
            [(e.kind, e.facts["cause"]) for e in at.store.events.after()],
            Counter(delivery.path for delivery in at.pings.got),
            at.log.read_text(),
        )


pytestmark = pytest.mark.played(by=each_ends_and_the_other_tells)


def test_each_is_told_of_once_by_mail_with_what_to_do(outcome: Seen) -> None:
    missed, over, gone = outcome.subjects
    assert missed.startswith(
        "[voice-dispatcher] Nobody can be called: beat does not run (last heard of "
    )
    assert over == "[voice-dispatcher] Calls are possible again"
    assert gone == "[voice-dispatcher] Nobody can be called: no worker runs"
    assert "start `voice-dispatcher beat`" in outcome.texts[0]
    assert "gateway of voice-dispatcher on " in outcome.texts[0]
    assert "beat of voice-dispatcher on " in outcome.texts[2]


def test_each_is_one_account_event(outcome: Seen) -> None:
    assert outcome.events == [
        ("calls.stopped", "no_beat"),
        ("calls.possible", "no_beat"),
        ("calls.stopped", "no_worker"),
    ]


def test_pings_are_no_more_than_one_a_minute(outcome: Seen) -> None:
    """The story takes less than three minutes; two processes ping."""
    assert outcome.pings.keys() == {"/alive/Hunter2", "/fail/Hunter2"}
    assert max(outcome.pings.values()) <= 3


def test_the_logs_say_it_and_show_no_address_of_a_ping(outcome: Seen) -> None:
    assert outcome.logs.count("nobody can be called: ") == 2
    assert outcome.logs.count("people can be called again") == 1
    assert "Hunter2" not in outcome.logs

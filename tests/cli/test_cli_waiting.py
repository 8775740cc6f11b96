"""`call --wait`: until the job has ended, the time is up, or Ctrl-C."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
import typer

from dispatcher.cli.waiting import ended
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from support.cli_jobs import IN_VAIN, NUMBER, REACHED, TEXT, dial
from support.cli_shell import Shell
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer


def newest(store: Store) -> str | None:
    """Return the id of a job that somebody waits for, once somebody listens."""
    channels: Any = redis_of(store).pubsub_channels(key_of(store, "job", "*"))
    return channels[0].decode().rpartition(":")[2] if channels else None


@pytest.mark.parametrize(
    ("decision", "code", "state"),
    [(REACHED, 0, "completed"), (IN_VAIN, 1, "failed")],
    ids=["reached", "in vain"],
)
def test_wait_ends_with_the_job_and_says_by_its_code_whether_it_was_reached(
    shell: Shell, store: Store, decision: Decision, code: int, state: str
) -> None:
    process = shell.start("call", NUMBER, "--say", TEXT, "--wait", "--json")
    eventually(lambda: newest(store) or process.poll() is not None)
    id_ = newest(store)
    assert id_
    dial(store, id_)
    store.calls.settle(id_, 1, decision)
    announced = time.monotonic()
    ran = shell.end(process)
    assert time.monotonic() - announced < 28  # it was told: looking by itself takes 30
    assert (ran.code, ran.err) == (code, f"job {id_}: waiting until it has ended\n")
    assert (ran.json["id"], ran.json["state"]) == (id_, state)


def test_wait_gives_up_at_its_timeout_and_the_job_goes_on(shell: Shell, store: Store) -> None:
    started = time.monotonic()
    ran = shell("call", NUMBER, "--say", TEXT, "--wait", "--timeout", "1s", "--json")
    assert 1 <= time.monotonic() - started < 28
    assert ran.code == 1
    _, complaint = ran.err.splitlines()
    assert complaint.startswith(f"error: job {ran.json['id']} is still queued: it is in line: ")
    assert complaint.endswith("; the job continues")
    assert store.jobs.get(ran.json["id"]).state is State.QUEUED


def test_ctrl_c_ends_the_wait_and_not_the_job(shell: Shell, store: Store) -> None:
    process = shell.start("call", NUMBER, "--say", TEXT, "--wait")
    eventually(lambda: newest(store) or process.poll() is not None)
    id_ = newest(store)
    assert process.stderr
    assert process.stderr.readline() == f"job {id_}: waiting until it has ended\n".encode()
    process.send_signal(signal.SIGINT)
    ran = shell.end(process)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == f"job {id_} is queued; it continues\n"
    assert id_
    assert store.jobs.get(id_).state is State.QUEUED


def test_ctrl_c_ends_the_wait_at_once_though_redis_hangs(
    shell: Shell, store: Store, server: EmbeddedServer
) -> None:
    process = shell.start("call", NUMBER, "--say", TEXT, "--wait")
    eventually(lambda: newest(store) or process.poll() is not None)
    id_ = newest(store)
    assert server.process
    server.process.send_signal(signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        ran = shell.end(process)
        assert time.monotonic() - pressed < 10  # some 2 on a quiet machine; Redis is given 15
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.splitlines()[1] == f"job {id_} continues as soon as Redis answers again"


class NobodyAnswers:
    """The handle of a job whose Redis is away, while somebody presses Ctrl-C."""

    id = "j"

    def wait(self, _timeout: float | None) -> None:
        raise KeyboardInterrupt

    def refresh(self) -> None:
        raise StoreUnavailable("Redis cannot be reached")


def test_ctrl_c_while_redis_is_away_says_that_the_job_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as end:
        ended(NobodyAnswers(), None)  # type: ignore[arg-type]
    assert end.value.exit_code == 130
    assert "job j continues as soon as Redis is back" in capsys.readouterr().err

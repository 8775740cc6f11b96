"""The incidents, and how each is brought about on a stack that runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from dispatcher.problems.catalogue import CATALOGUE, Name
from support.e2e_stack import Up
from support.redis_servers import RedisProcess

ANSWERED, NO_ANSWER, NOT_ALLOWED, SLOW = "0001", "0002", "0012", "0004"


@dataclass
class Stage:
    """The stack of an incident. `undo` is what must be put right before it can be stopped."""

    up: Up
    redis: RedisProcess
    undo: list[Callable[[], object]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=lambda: count(2000))

    def freeze(self, role: str) -> None:
        """Have a process hang, and `up` as well, which would end it and start another."""
        for pid in (self.up.pid_of(role), self.up.pid):
            os.kill(pid, signal.SIGSTOP)
            self.undo.append(partial(_thaw, pid))

    def calls(self, many: int, behaviour: str = ANSWERED, **options: Any) -> list[str]:
        """Ask for calls to as many numbers that nobody called before."""
        return self.up.enqueue([self.number(behaviour) for _ in range(many)], **options)

    def number(self, behaviour: str) -> str:
        """Return a number that nobody called before: the provider goes by its last four digits."""
        return f"+8180{next(self._serial):04d}{behaviour}"


def _thaw(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True)
class Incident:
    """`cause` brings it about; where `again` is, it goes on with that about every second. It lasts
    for so many `seconds`, in which its alert must fire.
    """

    title: str
    how: str
    problem: Name | None
    cause: Callable[[Stage], object]
    seconds: int = 100
    again: Callable[[Stage, int], object] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    alert: str = ""
    doctor: str = ""
    page: str | None = ""

    @property
    def check(self) -> str:
        """What `doctor` calls it."""
        return self.doctor or (self.problem or "").replace("_", " ")

    @property
    def words(self) -> str | None:
        """What a page says; None: the page is what is gone."""
        return CATALOGUE[self.problem].title if self.page == "" and self.problem else self.page


def _credit(stage: Stage) -> None:
    stage.up.sandbox.credits(10)
    stage.calls(20)


def _wrong_token(stage: Stage) -> None:
    stage.up.sandbox.options(token="another")
    stage.calls(20)


def _provider_down(stage: Stage) -> None:
    stage.up.sandbox.options(down="503")
    stage.calls(20)


def _throttles(stage: Stage) -> None:
    stage.up.sandbox.options(rate=1)
    stage.calls(400)


def _redis_restarts(stage: Stage) -> None:
    stage.redis.kill()
    stage.undo.append(stage.redis.start)


def _redis_full(stage: Stage) -> None:
    with stage.redis.client() as client:
        client.config_set("maxmemory", 1)
    stage.undo.append(lambda: _with_memory(stage))


def _with_memory(stage: Stage) -> None:
    with stage.redis.client() as client:
        client.config_set("maxmemory", 0)


def _no_callbacks(stage: Stage) -> None:
    stage.up.sandbox.options(callback_drop=1.0)
    stage.calls(20)


def _many(stage: Stage) -> None:
    stage.calls(4000, priority="bulk")


def _more(stage: Stage, second: int) -> None:
    if second % 20 == 0:
        stage.calls(100, priority="bulk")


def _bad_campaign(stage: Stage) -> None:
    tags = ["campaign:spring"]
    stage.calls(10, tags=tags)
    stage.calls(50, NOT_ALLOWED, tags=tags)


def _campaign(stage: Stage) -> None:
    """Of a big campaign many do not answer, some twice, and a few calls fail."""
    recipients = [stage.number(_ENDS[n % len(_ENDS)]) for n in range(3000)]
    stage.up.enqueue(recipients, tags=["campaign:spring"], priority="bulk")


_ENDS = (
    ANSWERED,
    ANSWERED,
    NO_ANSWER,
    ANSWERED,
    NO_ANSWER,
    ANSWERED,
    "0005",
    ANSWERED,
    "0003",
)


def _beside(stage: Stage, second: int) -> None:
    if second % 5 == 0:
        stage.calls(1, priority="urgent")


def _nothing(_: Stage) -> None:
    time.sleep(0)


INCIDENTS: Mapping[str, Incident] = {
    "01-credit-out": Incident(
        "the credit is used up",
        "the provider's balance is set to 10, below the floor, and 20 calls are asked for",
        Name.NO_CREDIT,
        _credit,
    ),
    "02-wrong-token": Incident(
        "the token is wrong",
        "the provider expects another token, and 20 calls are asked for",
        Name.HELD_AUTH,
        _wrong_token,
    ),
    "03-provider-down": Incident(
        "the provider is down",
        "the provider answers 503, and 20 calls are asked for",
        Name.HELD_PROVIDER_DOWN,
        _provider_down,
    ),
    "04-provider-throttles": Incident(
        "the provider takes a tenth of the rate",
        "the provider takes 1 request a second instead of the 10 that are set, and 400 calls are"
        " asked for",
        Name.THROTTLED,
        _throttles,
        seconds=160,
        settings={"DISPATCHER_RATE_LIMIT": "10"},
    ),
    "05-redis-away": Incident(
        "Redis is away",
        "Redis is killed, and started again after 80 seconds",
        Name.REDIS,
        _redis_restarts,
        again=lambda stage, second: stage.undo.pop()() if second == 80 and stage.undo else None,
        seconds=110,
        doctor="Redis",
    ),
    "06-redis-full": Incident(
        "Redis is full", "`maxmemory` is set below what it has", Name.REDIS, _redis_full
    ),
    "07-worker-stuck": Incident(
        "one of two workers hangs",
        "it is stopped with SIGSTOP, and so is `up`, which would restart it",
        Name.PROCESS_SILENT,
        lambda stage: stage.freeze("dial"),
        arguments=("--workers", "2"),
        seconds=110,
    ),
    "08-beat-dead": Incident(
        "beat hangs",
        "it is stopped with SIGSTOP, and so is `up`, which would restart it",
        Name.NO_BEAT,
        lambda stage: stage.freeze("beat"),
        seconds=110,
    ),
    "09-callbacks-missing": Incident(
        "callbacks do not arrive",
        "the provider sends none, and 20 calls are made",
        Name.CALLBACKS_MISSING,
        _no_callbacks,
        seconds=190,
        settings={"DISPATCHER_CHECK_FIRST": "5s"},
    ),
    "10-lines-grow": Incident(
        "the lines grow",
        "4,000 calls are asked for at a rate of one a second, and 100 more every 20 seconds",
        Name.LINES_GROW,
        _many,
        again=_more,
        seconds=520,
        settings={"DISPATCHER_RATE_LIMIT": "1"},
    ),
    "11-gateway-down": Incident(
        "the gateway hangs",
        "it is stopped with SIGSTOP, and so is `up`, which would restart it",
        Name.PROCESS_SILENT,
        lambda stage: stage.freeze("gateway"),
        alert="VoiceDispatcherNotSeen",
        page=None,
    ),
    "12-bad-campaign": Incident(
        "a campaign goes wrong",
        "50 of its 60 numbers are of a country that the provider does not call",
        Name.CAMPAIGN_FAILS,
        _bad_campaign,
        seconds=160,
    ),
    "healthy-night": Incident("nothing happens", "nobody is called", None, _nothing, seconds=180),
    "healthy-campaign": Incident(
        "a big campaign is under way",
        "3,000 calls at 20 a second, of which a third is not answered at first, and urgent ones"
        " in between",
        None,
        _campaign,
        again=_beside,
        seconds=240,
        settings={"DISPATCHER_RATE_LIMIT": "20"},
    ),
}
"""By the name of the file that each is recorded in."""

"""What processes note that they may not do, and which rights are looked at."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import dispatcher.store
from dispatcher.store import Store
from dispatcher.store.errors import NotAllowed
from dispatcher.store.missing_rights import MissingRight
from dispatcher.store.rights import DIRECT, TOGETHER
from dispatcher.store.schema import MISSING_RIGHT_SHOWN
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from workers.engine.rights_watch import RightsWatch

FOLDER = Path(dispatcher.store.__file__).parent
ASKED = re.compile(r"(?:_redis|\.redis|\bpipe|\bnews)\.([a-z_]+)\(")
TOGETHER_WITH = re.compile(r'\("([A-Z]+)", (?:self\._)?key\b')
"""A command of `read_together`, with the key that it reads."""
SHORT = {"delete": "DEL", "zscan_iter": "ZSCAN", "function_load": "FUNCTION|LOAD"}
OTHER = {
    *("close", "execute", "execute_command", "get_message", "pipeline", "pubsub"),  # no commands
    *("config_get", "function_delete", "function_list"),  # done without, or by administrators
    *("psubscribe", "subscribe_message"),  # of those who watch all jobs
    "bgrewriteaof",  # of who rewrites the append-only file after a purge, and is told so
}


def test_what_a_process_lacks_is_noted_until_it_lacks_nothing(store: Store) -> None:
    assert store.missing_rights.all() == []
    store.missing_rights.note("worker-dial@b", "Redis does not allow its user +zadd: grant it")
    store.missing_rights.note("call-task@a", "no +get")
    store.missing_rights.note("call-task@a", "no +setex")
    first, second = store.missing_rights.all()
    assert first == MissingRight("call-task@a", "no +setex")
    assert str(second) == "worker-dial@b: Redis does not allow its user +zadd: grant it"
    store.missing_rights.clear("call-task@a")
    assert store.missing_rights.all() == [second]


def test_what_nobody_says_any_more_is_forgotten(store: Store, clock: Clock) -> None:
    store.missing_rights.note("gone@a", "no +zadd")
    clock.forward(MISSING_RIGHT_SHOWN / 1000 + 1)
    assert store.missing_rights.all() == []
    store.missing_rights.note("here@a", "no +zadd")
    assert redis_of(store).hkeys(key_of(store, "missing_rights")) == [b"here@a"]
    assert 0 < redis_of(store).pttl(key_of(store, "missing_rights")) <= MISSING_RIGHT_SHOWN


def test_a_watch_outlives_a_redis_that_is_away() -> None:
    """What it has noted it takes back when it can."""
    lacking = [NotAllowed("no +zadd")]

    def require() -> None:
        if lacking:
            raise lacking.pop()

    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        gone = Store.from_url(f"redis://127.0.0.1:{bound.getsockname()[1]}/0")
        watch = RightsWatch(gone, "worker-dial@b", require)
        watch.check()
        watch.check()


def test_a_watch_notes_what_is_missing_and_takes_it_back(store: Store) -> None:
    lacking = [NotAllowed("no +zadd")]

    def require() -> None:
        if lacking:
            raise lacking[0]

    watch = RightsWatch(store, "worker-dial@b", require)
    watch.check()
    assert store.missing_rights.all() == [MissingRight("worker-dial@b", "no +zadd")]
    lacking.clear()
    watch.check()
    assert store.missing_rights.all() == []


def test_every_command_outside_of_an_operation_is_among_the_rights() -> None:
    """One that is left out is missed only when it is needed, as on a page of the console."""
    asked = {
        SHORT.get(command, command.upper())
        for file in FOLDER.glob("*.py")
        for command in ASKED.findall(file.read_text())
        if command not in OTHER
    }
    assert asked | {"WAIT"} == DIRECT  # which replica_wait.py has sent with operations


def test_every_command_that_is_read_together_is_among_the_rights() -> None:
    texts = [file.read_text() for file in FOLDER.glob("*.py")]
    asked = {command for text in texts for command in TOGETHER_WITH.findall(text)}
    assert asked == TOGETHER

"""Schema 2, which 0.2.0 wrote: the records and indexes of 0.1.0, by plainer names.

So its keys are given the names that they had in 0.1.0, and go the same way from there. Some of
0.2.0's names are ours for something else. Therefore all are renamed before anything is written
anew, and those that it alone had go last: as long as one of these stands, nothing is.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from dispatcher.model.states import State
from dispatcher.store.errors import plain_errors
from dispatcher.store.migrate.writer import BATCH, Batches, Command, Writer, raw
from dispatcher.store.schema import Pace

RENAMED = {
    "jobs": "job",
    "by_state": "idx",
    "by_tag": "tag",
    "by_call": "calls",
    "webhooks:delivery": "hook",
}
"""What stands under these names and is written otherwise now -> what 0.1.0 called it."""
LAST = {
    "account:default:dispatched": "fed",
    "by_state": "reasons",
    "by_recipient": "recipients",
}
"""The same of keys that 0.2.0 alone had."""
MARKS = ("by_state", "by_recipient")
"""Those of them of which one at least stands where there is any job."""
MILLIONTHS = 10**6


def stands(writer: Writer) -> bool:
    """Whether anything is written as 0.2.0 did: then all is."""
    with plain_errors():
        return bool(writer.redis.exists(*map(writer.old, MARKS)))


def old_names(writer: Writer) -> Batches:
    """Give what 0.2.0 wrote the names that it had in 0.1.0."""
    if not stands(writer):
        return
    for kind, old in RENAMED.items():
        names = writer.found(f"{kind}:*")
        while some := list(islice(names, BATCH)):
            yield [_move(writer, name, old + name.removeprefix(kind)) for name in some], len(some)
    moves = [_move(writer, *pair) for pair in LAST.items()]
    yield [*_pace(writer), _left_behind(writer), *moves], 2 + len(LAST)


# -- below -------------------------------------------------------------------------------------


def _move(writer: Writer, name: str, to: str) -> Command:
    return "MOVE", raw(writer.old(name)), raw(writer.old(to))


def _left_behind(writer: Writer) -> Command:
    """Return what forgets moments that 0.2.0 kept of jobs that had expired, for nothing."""
    return "DEL", writer.name("due", State.EXPIRED)


def _pace(writer: Writer) -> list[Command]:
    """Return what writes the fraction of the rate in billionths; it was in millionths."""
    name = writer.name("pace")
    with plain_errors():
        found: Any = writer.redis.hget(name, Pace.FRACTION)
    commands: list[Command] = [("HDEL", name, "mean_gap")]
    if found and int(found) <= MILLIONTHS:  # else it was written between 0.2.0 and this version
        commands.append(("HSET", name, Pace.FRACTION, int(found) * 1000))
    return commands

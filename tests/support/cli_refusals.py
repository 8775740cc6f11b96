"""Refusals of the command line: one sentence, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dispatcher.store import Store
from dispatcher.store.schema import BARRIER
from support.cli_shell import Ran
from support.redis_inside import key_of, redis_of, root_of

NUMBER = "+818011234567"


OTHERS = ("+818011234568", "+818011234569", "+818011234570")


SAY = (NUMBER, "--say", "Disk full")


USAGE, FAILED = 2, 1


REAL = {"XOXZO_API_SID": "sid", "XOXZO_API_AUTH_TOKEN": "token"}


BOUNDS = {"DISPATCHER_ALLOWED_COUNTRIES": "any", "DISPATCHER_SPEND_PER_DAY": "none"}


ACCOUNT = {**REAL, **BOUNDS}


def refused(ran: Ran, code: int, *words: str) -> None:
    """One sentence that has the words in it, on stderr alone."""
    assert ran.code == code, ran
    assert ran.out == ""
    for word in words:
        assert word in ran.complaint


@contextmanager
def nothing_written(store: Store) -> Iterator[None]:
    before = _written(store)
    yield
    assert _written(store) == before


def _written(store: Store) -> set[str]:
    """Return the keys there are, but for the mark of the schema, which a store gets when used."""
    keys: Any = redis_of(store).keys()
    return {key.decode() for key in keys} - {key_of(store, "schema"), f"{root_of(store)}:{BARRIER}"}

"""What is asked for in the same round trip, as soon as jobs are written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dispatcher.model.states import Priority
from dispatcher.store.connection import Call, Connection
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.values import Packed

Wake = Callable[[Priority], object]

log = logging.getLogger(__name__)


class Following(Protocol):
    """An operation that follows, and what is done with its answer, or with why there is none."""

    def call(self, rows: Sequence[Packed]) -> Call: ...
    def heed(self, answer: Any) -> None: ...


class Waking:
    """Calls `wake` with the priority whose workers are to be woken, if any are. That they were not
    is no failure, after the job was accepted: they look by themselves as well.
    """

    def __init__(self, wake: Wake) -> None:
        self._wake = wake

    def call(self, _rows: Sequence[Packed]) -> Call:
        return "wake", {}

    def heed(self, answer: bytes | Exception | None) -> None:
        if isinstance(answer, bytes):
            try:
                self._wake(Priority(answer.decode()))
            except (StoreUnavailable, StoreUnsuitable) as error:
                answer = error
        if isinstance(answer, Exception):
            log.warning("no worker was woken: %s", answer)


class Reading:
    """Reads the records of what was written: id -> names and values in turn."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: list[str] = []
        self.records: dict[str, list[bytes]] = {}

    def call(self, rows: Sequence[Packed]) -> Call:
        self._ids = [row.id for row in rows]
        keys = [self._connection.key("job", id_) for id_ in self._ids]
        return "read_together", {"reads": [("HGETALL", key) for key in keys]}

    def heed(self, answer: list[list[bytes]] | Exception) -> None:
        if not isinstance(answer, Exception):  # else whoever needs them reads them again
            self.records = dict(zip(self._ids, answer, strict=True))

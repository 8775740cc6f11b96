"""Bulk actions: previewed, created, begun once, driven to their end, reported.

`create` keeps what a preview chose for an hour under the preview's id, `begin` starts that,
however often it is asked for, and `drive` does it, by as many drivers as like to: a job leaves the
action's list in the very step that acts on it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from dispatcher.model.bulk_action import (
    MOST,
    BulkAction,
    BulkActionKind,
    Preview,
    TooMany,
    UnknownAction,
    new_id,
)
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority
from dispatcher.store.accepting import AT_ONCE
from dispatcher.store.budget import Budget
from dispatcher.store.bulk_preview import Selection, Tally, in_words, options_of
from dispatcher.store.bulk_record import action_of, fields_of
from dispatcher.store.connection import Connection, Repository, milliseconds, pairs
from dispatcher.store.errors import plain_errors
from dispatcher.store.search import Search

CREATED_FOR = 3600
"""Seconds for which a preview may still be begun."""
LEASE = 15.0
"""Seconds after which somebody else looks after an action that nobody drives."""
TOGETHER = 100
"""Jobs previewed in one atomic step: a millisecond of Redis' time."""
_IDS_AT_ONCE = 1000
_ID = re.compile("[a-z0-9]{1,40}")


class Bulk(Repository):
    """The bulk actions of the account."""

    def __init__(self, connection: Connection, search: Search, budget: Budget) -> None:
        super().__init__(connection)
        self._search, self._budget = search, budget

    def preview(
        self,
        kind: BulkActionKind,
        selection: Selection,
        *,
        expires: float | None = None,
        uncertain: bool = False,
        priority: Priority | None = None,
        id_: str | None = None,
    ) -> Preview:
        """Return what an action would do to the jobs that a filter or a list of ids selects.

        A retry leaves out jobs that were cancelled, and those whose deadline passed, unless they
        are selected by name: by a filter's states, by their ids, or by a new deadline (`expires`,
        seconds from now). `uncertain` is also to redial those of which nobody knows yet whether a
        call is under way. `id_` names the action (see new_id); one is made up unless given.
        Raises TooMany, Refused.
        """
        name = id_ or new_id()
        options = options_of(
            kind, selection, name, expires=expires, uncertain=uncertain, priority=priority
        )
        found = self._tally(kind, selection, options)
        # Who has waited longest comes first.
        ids = reversed(found.ids) if isinstance(selection, Filter) else found.ids
        return Preview(
            id=name,
            kind=kind,
            selection=in_words(selection),
            options=options,
            ids=tuple(ids),
            **self._credits(found.tariffs if kind is BulkActionKind.RETRY else Counter()),
            may_have_been_called=found.unknown,
            excluded=found.left_out(),
        )

    def _tally(self, kind: BulkActionKind, selection: Selection, options: dict[str, Any]) -> Tally:
        found = Tally()
        for ids in self._selected(selection):
            flat = self._run("preview_action", action=kind, options=options, ids=ids)
            answers = [text.decode() for text in flat]
            for row in zip(ids, answers[::2], answers[1::2], strict=True):
                found.add(*row)
            if len(found.ids) > MOST:
                raise TooMany
        return found

    def _selected(self, selection: Selection) -> Iterator[list[str]]:
        """Yield the ids of the jobs that are selected, each once, some at a time."""
        found: Iterable[list[str]] = (
            self._search.find_ids(selection)
            if isinstance(selection, Filter)
            else [list(dict.fromkeys(selection))]
        )
        for ids in found:
            for start in range(0, len(ids), TOGETHER):
                yield ids[start : start + TOGETHER]

    def _credits(self, tariffs: Counter[str]) -> dict[str, Decimal]:
        known = self._budget.costs()
        ways = {"credits": known.of, "credits_if_answered": known.if_answered}
        return {
            name: round(sum((price(call) * many for call, many in tariffs.items()), Decimal(0)), 2)
            for name, price in ways.items()
        }

    # -- doing it --------------------------------------------------------------------------

    def create(self, preview: Preview) -> str:
        """Keep what a preview chose, so that `begin` can do just that; return its id.

        An action of that id which stands already is left as it is.
        """
        list_name = secrets.token_hex(6)
        ids = self._key("bulk_action_ids", preview.id, list_name)
        with plain_errors():
            pipe = self._pipeline()
            for start in range(0, len(preview.ids), _IDS_AT_ONCE):
                pipe.rpush(ids, *preview.ids[start : start + _IDS_AT_ONCE])
                pipe.expire(ids, CREATED_FOR)
            pipe.execute()
        self._run(
            "create_bulk_action",
            id=preview.id,
            written_to=list_name,
            kept_for=milliseconds(CREATED_FOR),
            fields=fields_of(preview),
        )
        return preview.id

    def begin(self, id_: str, *, actor: str, note: str = "") -> bool:
        """Begin an action that was created; False where it was begun already.

        Raises UnknownAction.
        """
        answer = self._run(
            "start_bulk_action", id=_known(id_), actor=actor, note=note, lease=milliseconds(LEASE)
        )
        if answer == b"gone":
            raise UnknownAction(id_)
        return bool(answer == b"started")

    def advance(self, id_: str, most: int = AT_ONCE) -> tuple[str, int]:
        """Do the next few jobs of a running action; return its state and how many are left.

        Raises UnknownAction.
        """
        state, left = self._run(
            "advance_bulk_action", id=_known(id_), most=most, lease=milliseconds(LEASE)
        )
        if state == b"gone":
            raise UnknownAction(id_)
        return state.decode(), int(left)

    def drive(
        self,
        id_: str,
        *,
        within: float | None = None,
        tell: Callable[[int], object] = lambda _: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> bool:
        """Drive an action to its end, or for so many seconds; return whether it is over.

        Others get at least as much of Redis' time. `tell` hears how many jobs are left after each
        step. Raises UnknownAction, StoreUnavailable.
        """
        began = time.monotonic()
        while True:
            started = time.monotonic()
            state, left = self.advance(id_)
            now = time.monotonic()
            tell(left)
            if state != "running":
                return True
            if within is not None and now - began >= within:
                return False
            sleep(now - started)

    def stop(self, id_: str, *, actor: str, note: str = "") -> bool:
        """End a running action: what it did stays done. False where it is not running.

        Raises UnknownAction.
        """
        answer = self._run("stop_bulk_action", id=_known(id_), actor=actor, note=note)
        if answer == b"gone":
            raise UnknownAction(id_)
        return bool(answer == b"running")

    def take(self) -> list[str]:
        """Take the actions that nobody has driven for a while: one look where none is running."""
        with plain_errors():
            if not self._redis.exists(self._key("bulk_actions_running")):
                return []
        ids = self._run("take_bulk_actions", lease=milliseconds(LEASE))
        return [id_.decode() for id_ in ids]

    # -- reading ---------------------------------------------------------------------------

    def get(self, id_: str) -> BulkAction:
        """Return how an action stands. Raises UnknownAction."""
        found = self._read([_known(id_)])
        if not found:
            raise UnknownAction(id_)
        return found[0]

    def recent(self, most: int = 20, after: int = 0) -> list[BulkAction]:
        """Return the actions that were begun lately, the latest first, `after` so many."""
        with plain_errors():
            ids: Any = self._redis.zrange(
                self._key("bulk_actions"), after, after + most - 1, desc=True
            )
        return self._read([id_.decode() for id_ in ids])

    def _read(self, ids: list[str]) -> list[BulkAction]:
        reads = [
            read
            for id_ in ids
            for read in (
                ("HGETALL", self._key("bulk_action", id_)),
                ("LLEN", self._key("bulk_action_ids", id_, "ids")),
            )
        ]
        found = self._read_together(*reads)
        rows = zip(ids, map(pairs, found[::2]), found[1::2], strict=True)
        return [action_of(id_, raw, left) for id_, raw, left in rows if b"state" in raw]


def _known(id_: str) -> str:
    """Return what may be an action's id; nothing else may name a key."""
    if not _ID.fullmatch(id_):
        raise UnknownAction(id_)
    return id_

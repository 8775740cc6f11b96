"""After a restore from a backup: what the records tell of, and who may have been called since."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.states import CALLING, Reason, State
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.holds import Holds
from dispatcher.store.indexes import Indexes
from dispatcher.store.schema import Pace
from dispatcher.store.search import Search

WHY = "the records were restored from a backup: somebody has to look and say go"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What there is to decide about. Moments in ms since the epoch, by Redis' clock.

    `latest` is the latest moment that records tell of, None where there are none: what happened
    between it and `now` is not among them. That is so until workers run: they write moments, too.
    `ready` counts jobs that would be dialled at once, and may have been dialled since; `later`
    those that are scheduled for moments to come; `held` those that other holds keep; `calling`
    those whose call was under way, or may have been.
    """

    now: float
    latest: float | None
    ready: int
    later: int
    held: int
    calling: int


class Aftermaths(Repository):
    """Holds all calls after a restore until a person says go."""

    def __init__(self, connection: Connection, holds: Holds, search: Search) -> None:
        super().__init__(connection)
        self._holds, self._search, self._indexes = holds, search, Indexes(connection)

    def hold(self, *, actor: str, note: str = "") -> bool:
        """Hold all calls, and what `resume` ends is not this; False where they are held already."""
        return self._holds.start(Reason.RESTORED, WHY, actor=actor, note=note)

    def go(self, *, actor: str, note: str = "") -> bool:
        """Let calls go on; False where none were held for a restore."""
        return self._holds.end(Reason.RESTORED, note, actor=actor)

    def look(self) -> Aftermath:
        """Return what the records tell."""
        counts = self._search.counts()
        now, total = self._now(), {state: sum(counts[state].values()) for state in State}
        due, ours = self._due(now), counts[State.HELD].get(Reason.RESTORED, 0)
        return Aftermath(
            now=now,
            latest=self._latest(counts),
            ready=total[State.QUEUED] + due + ours,
            later=total[State.SCHEDULED] - due,
            held=total[State.HELD] - ours,
            calling=sum(total[state] for state in CALLING),
        )

    def _due(self, now: float) -> int:
        with plain_errors():
            return int(self._redis.zcount(self._key("due", State.SCHEDULED), "-inf", now))

    def _latest(self, counts: dict[str, dict[str, int]]) -> float | None:
        """Return when the newest job was created, or the latest request went out."""
        kinds = [
            f"{state}:{reason}" if reason else state
            for state, reasons in counts.items()
            for reason in reasons
        ]
        with plain_errors():
            request, behind = self._redis.hmget(self._key("pace"), [Pace.LAST_REQUEST, Pace.BEHIND])
        newest = self._indexes.newest([("by_state", kind) for kind in kinds], most=1)
        moments = [created for places in newest for created, _ in places]
        moments += [(int(request) + int(behind or 0)) / 1000] if request else []
        return max(moments, default=None)

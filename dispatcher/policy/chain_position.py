"""Where an alert's chain is: what its next decision must know, kept as JSON with the alert."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Track:
    """One of those who are called at once now, from their first number to their last.

    `number` is the place of the number among theirs, from 0. `call` is the number of the call to
    it; None: an earlier call to them has to be over first. `since`: from when the time counts that
    the chain waits. `again`: it was counted anew, since nobody looked for a while. `told`: it was
    told that nobody takes the call.
    """

    contact: str
    since: datetime
    number: int = 0
    call: int | None = None
    again: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a chain is. Moments are aware and UTC, steps and times count from 0.

    `first` is how many calls the alert had before its chain began (anew). `waiting` are those who
    are called after these: each item is called at once. `called`: in this step somebody was
    called. `answered`: who answered in this step. `heard`: the calls whose end was told. `pause`
    runs from `paused_at`. `held`: why nobody can be called. `last`: the chain is at its end, and
    waits only for calls that are under way. `begun`: who is called this time through the step is
    known. `rung`: somebody was called in this round.
    """

    first: int = 0
    round: int = 1
    step: int = 0
    time: int = 0
    waiting: tuple[tuple[str, ...], ...] = ()
    tracks: tuple[Track, ...] = ()
    called: bool = False
    answered: tuple[str, ...] = ()
    heard: tuple[int, ...] = ()
    answer_at: datetime | None = None
    pause: timedelta = timedelta(0)
    paused_at: datetime | None = None
    held: str = ""
    last: bool = False
    begun: bool = False
    rung: bool = False

    def not_after(self, now: datetime) -> Self:
        """Return it with no moment that is still to come: clocks are set back, and would else have
        the chain wait for as long.
        """
        return replace(
            self,
            tracks=tuple(replace(each, since=min(each.since, now)) for each in self.tracks),
            answer_at=self.answer_at and min(self.answer_at, now),
            paused_at=self.paused_at and min(self.paused_at, now),
        )

    def to_text(self) -> str:
        """Return it as JSON, without what is as at the start."""
        return json.dumps(_members(self, _WRITTEN), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return what `to_text` wrote. Raises ValueError, KeyError or TypeError for another."""
        members: dict[str, Any] = json.loads(text)
        return cls(**{name: _READ.get(name, _same)(value) for name, value in members.items()})


def _same(value: Any) -> Any:
    return value


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _members(part: Any, written: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return the fields that are not as at the start."""
    usual = {name: each.default for name, each in part.__dataclass_fields__.items()}
    found = {name: getattr(part, name) for name in usual}
    return {
        name: written.get(name, _same)(value)
        for name, value in found.items()
        if value != usual[name]
    }


def _track(members: Mapping[str, Any]) -> Track:
    return Track(**{**members, "since": _at(members["since"])})


_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "tracks": lambda tracks: [_members(each, {"since": _ms}) for each in tracks],
    "answer_at": _ms,
    "paused_at": _ms,
    "pause": lambda length: length.total_seconds(),
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "waiting": lambda groups: tuple(map(tuple, groups)),
    "tracks": lambda tracks: tuple(map(_track, tracks)),
    "answered": tuple,
    "heard": tuple,
    "answer_at": _at,
    "paused_at": _at,
    "pause": lambda seconds: timedelta(seconds=seconds),
}

"""Pausing by hand: the whole account, a tag or a priority, with a note and who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dispatcher.model.request import tag
from dispatcher.model.states import Priority, Reason
from dispatcher.store.store import Store


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause stops: everything, or the jobs with a tag, or those of a priority."""

    tag: str | None = None
    priority: Priority | None = None

    @property
    def gate(self) -> str:
        """The gate of this pause."""
        if self.tag is not None:
            return f"{Reason.PAUSED}:tag:{self.tag}"
        if self.priority is not None:
            return f"{Reason.PAUSED}:priority:{self.priority}"
        return Reason.PAUSED

    @classmethod
    def of_gate(cls, name: str) -> Self:
        """Return what a pause's gate stops. Raises ValueError where no pause has such a gate."""
        match name.split(":", 2):
            case [Reason.PAUSED]:
                return cls()
            case [Reason.PAUSED, "tag", value]:
                return cls(tag=tag(value))
            case [Reason.PAUSED, "priority", value]:
                return cls(priority=Priority(value))
        raise ValueError(f"{name[:60]!r} is the gate of no pause")

    def __str__(self) -> str:
        if self.tag is not None:
            return f"jobs tagged {self.tag}"
        return f"{self.priority} jobs" if self.priority is not None else "all calls"


def pause(store: Store, scope: Scope, *, actor: str, note: str = "") -> bool:
    """Dial nothing of the scope until it is resumed; True where it was not paused before."""
    why = f"paused by {actor}" + (f": {note}" if note else "")
    return store.close_gate(scope.gate, why, actor=actor, note=note)


def resume(store: Store, scope: Scope, *, actor: str, note: str = "") -> bool:
    """End a pause: what it held goes into line again; True where it was paused."""
    return store.open_gate(scope.gate, note, actor=actor)

"""Holds: what keeps jobs from being dialled, of itself or since somebody paused them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from dispatcher.model.states import Priority, Reason
from dispatcher.model.tags import tag
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.values import Hold


@dataclass(frozen=True, slots=True)
class PauseScope:
    """What a pause holds: everything, or the jobs with a tag, or those of a priority.

    `unusual`: all calls, since something was unusual; nobody pauses that, and people resume it.
    """

    tag: str | None = None
    priority: Priority | None = None
    unusual: bool = False

    @property
    def hold(self) -> str:
        """The name of this pause's hold."""
        if self.unusual:
            return Reason.UNUSUAL
        if self.tag is not None:
            return f"{Reason.PAUSED}:tag:{self.tag}"
        if self.priority is not None:
            return f"{Reason.PAUSED}:priority:{self.priority}"
        return Reason.PAUSED

    @classmethod
    def of_hold(cls, name: str) -> Self:
        """Return what a hold stops that people resume. Raises ValueError for any other."""
        match name.split(":", 2):
            case [Reason.PAUSED]:
                return cls()
            case [Reason.UNUSUAL]:
                return cls(unusual=True)
            case [Reason.PAUSED, "tag", value]:
                return cls(tag=tag(value))
            case [Reason.PAUSED, "priority", value]:
                return cls(priority=Priority(value))
        raise ValueError(f"{name[:60]!r} is no hold that people resume")

    def __str__(self) -> str:
        if self.unusual:
            return "unusual calls"
        if self.tag is not None:
            return f"jobs tagged {self.tag}"
        return f"{self.priority} jobs" if self.priority is not None else "all calls"


class Holds(Repository):
    """The holds of the account."""

    def start(
        self,
        name: str,
        why: str,
        required: float = 0,
        *,
        refused: bool = False,
        actor: str = "",
        note: str = "",
    ) -> bool:
        """Start a hold for the whole account; False where it stands already.

        `required` is the balance that ends it, in credits. `refused`: the provider itself said
        no, so that one job tries before all are let go. `actor` is the person who starts it, if
        one does, and `note` that person's words.
        """
        return bool(
            self._run(
                "start_hold",
                name=name,
                why=why,
                required=required,
                refused=refused,
                actor=actor or None,
                note=note,
            )
        )

    def end(self, name: str, why: str = "", *, actor: str = "") -> bool:
        """End a hold; the next pump releases what it held. False where there was none."""
        return bool(self._run("end_hold", name=name, why=why, actor=actor or None))

    def all(self) -> list[Hold]:
        """Return the holds that stand, by name."""
        with plain_errors():
            found: dict[bytes, bytes] = self._redis.hgetall(self._key("holds"))  # type: ignore[assignment]
        return sorted((_hold(*pair) for pair in found.items()), key=lambda hold: hold.name)

    def pause(self, scope: PauseScope, *, actor: str, note: str = "") -> bool:
        """Dial nothing of the scope until it is resumed; True where it was not paused before."""
        why = f"paused by {actor}" + (f": {note}" if note else "")
        return self.start(scope.hold, why, actor=actor, note=note)

    def resume(self, scope: PauseScope, *, actor: str, note: str = "") -> bool:
        """End a pause, or a hold for what is unusual: what it held goes into line again; True where
        there was one.
        """
        return self.end(scope.hold, note, actor=actor)


def _hold(name: bytes, text: bytes) -> Hold:
    facts = json.loads(text)
    return Hold(
        name=name.decode(),
        since=facts["since"],
        why=facts["why"],
        required=facts.get("required", 0),
        half_open=facts.get("half_open", False),
    )

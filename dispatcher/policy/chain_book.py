"""The calls of a chain in one decision: who can be called, and where each call stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dispatcher.model.alert import AlertReason
from dispatcher.policy.chain_position import Position, Track
from dispatcher.policy.chain_values import Made, Ring, Stage

if TYPE_CHECKING:
    from dispatcher.model.on_call import Chain, Person

MOST_CALLS: Final = 300
"""Calls of one alert, those that were skipped among them."""
EARLIER: Final = "an earlier call to them is not over"

Who = Callable[[str], "Sequence[Person]"]
"""Returns whom the name of a contact, a team or a rota stands for right now."""


class Book:
    """One decision, as it comes about: `at` is where the chain has come to."""

    def __init__(
        self,
        chain: Chain,
        who: Who,
        position: Position | None,
        calls: Sequence[Made],
        now: datetime,
    ) -> None:
        self.chain, self.who, self.now = chain, who, now
        self.calls = {each.number: each for each in calls}
        self.last = max(self.calls, default=0)
        self.at = (position or Position(first=self.last)).not_after(now)
        self.rings: list[Ring] = []
        self.cancel: list[int] = []
        self.lines: list[str] = []

    def _call(self, track: Track) -> Track | None:
        """Call the number of theirs that comes next; None where there is none or they cannot be."""
        person = next(iter(self.who(track.contact)), None)
        why_not = self._why_not(person)
        if person is None or why_not:
            self._skip(track.contact, why_not)
            return None
        if track.number >= len(person.numbers) or self._full:
            return None
        call = self._ring(person, track.number)
        return replace(track, call=call, since=self.now, again=False)

    def _why_not(self, person: Person | None) -> str:
        if person is None:
            return "there is no such contact any more"
        if not person.available:
            return person.why_not or "not available"
        if self._busy(person.name):
            return EARLIER
        return "" if person.numbers else "the contact has no number"

    def _ring(self, person: Person, place: int) -> int:
        many = len(person.numbers)
        which = f" (number {place + 1} of {many})" if many > 1 else ""
        what = "is called when that is possible" if self.at.held else "is called"
        self.lines.append(f"{person.name} {what}{which}")
        to, lang = person.numbers[place], person.lang
        return self._add(Ring(person.name, self.at.round, self.at.step + 1, to, lang))

    def _skip(self, name: str, why: str) -> None:
        if self._full:
            return
        self.lines.append(f"{name} is not called: {why}")
        ring = Ring(name, self.at.round, self.at.step + 1, skipped=why)
        self.at = replace(self.at, heard=(*self.at.heard, self._add(ring)))

    def _add(self, ring: Ring) -> int:
        self.last = number = self.last + 1
        stage = Stage.SKIPPED if ring.skipped else Stage.WAITING
        self.calls[number] = Made(number, ring.contact, stage)
        self.rings.append(ring)
        return number

    # -- where calls stand -----------------------------------------------------------------

    def _of_this_run(self) -> list[Made]:
        return [each for number, each in self.calls.items() if number > self.at.first]

    def _stage(self, track: Track) -> Stage | None:
        """Return where a track's call stands; None where it waits for one before."""
        if track.call is None:
            return None
        call = self.calls.get(track.call)
        return Stage.OVER if call is None else call.stage

    def _busy(self, contact: str) -> bool:
        return any(
            each.contact == contact and not is_over(each.stage) for each in self.calls.values()
        )

    @property
    def _full(self) -> bool:
        """Whether the alert had as many calls as it may."""
        return self.last - self.at.first >= MOST_CALLS

    def _under_way(self) -> bool:
        return any(each.stage is Stage.CALLING for each in self._of_this_run())

    def _reason(self) -> AlertReason:
        stages = {each.stage for each in self._of_this_run()}
        if self.at.answer_at is not None:
            return AlertReason.NOBODY_ACKNOWLEDGED
        called = stages - {Stage.SKIPPED}
        return AlertReason.NOBODY_ANSWERED if called else AlertReason.NOBODY_TO_CALL


def is_over(stage: Stage) -> bool:
    """Whether nothing more becomes of a call."""
    return stage not in (Stage.WAITING, Stage.CALLING)

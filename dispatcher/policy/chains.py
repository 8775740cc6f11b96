"""How a chain moves: who is called next for an alert, and when. Pure: the clock is handed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from dispatcher.policy.chain_book import EARLIER, Book, Who, is_over
from dispatcher.policy.chain_position import Position, Track
from dispatcher.policy.chain_values import End, Made, Move, Stage
from dispatcher.values.durations import spoken

if TYPE_CHECKING:
    from dispatcher.model.on_call import Chain, Step

LOOK_AGAIN: Final = timedelta(seconds=5)
"""Until the next look while nobody can be called."""
IN_LINE: Final = timedelta(minutes=30)
"""How long the chain waits for a call that no worker takes: none would take that to the next person
either. The bound is there so that a chain ends whatever happens.
"""
SELDOM: Final = timedelta(seconds=30)
"""Until the next look while no worker takes a call."""
LATE: Final = timedelta(seconds=15)
"""A look that comes so much later than planned shows that no process ran: a call that still waits
then had no chance.
"""
ANSWERED: Final = "answered"
"""Where `until` says so, an answer is enough."""


def next_move(
    chain: Chain,
    who: Who,
    position: Position | None,
    calls: Sequence[Made],
    now: datetime,
    *,
    last_call: int | None = None,
    hold: str = "",
    planned: datetime | None = None,
) -> Move:
    """Decide what the chain of a ringing alert does now.

    `position` is None where it begins (anew). `calls` are those that were made for the alert so
    far, in order; where the oldest are left out, `last_call` is the number of the last. `hold` says
    in words why nobody can be called at all, '' where they can: the call that comes next is made
    all the same, and stands in line. `planned` is when this look should have been.
    """
    walk = _Walk(chain, who, position, calls, now)
    walk.last = walk.last if last_call is None else last_call
    walk.hear()
    walk.heed(hold)
    walk.count_anew(planned)
    return walk.acknowledged() or walk.wait_for_answer() or walk.go_on()


class _Walk(Book):
    """One decision, as it comes about: `at` is where the chain has come to."""

    # -- what has happened -----------------------------------------------------------------

    def hear(self) -> None:
        """Take note of the calls whose end is news."""
        for call in self._of_this_run():
            if call.number not in self.at.heard and is_over(call.stage):
                self._hear(call)

    def _hear(self, call: Made) -> None:
        self.at = replace(self.at, heard=(*self.at.heard, call.number))
        skipped = call.stage is Stage.SKIPPED
        self.lines.append(f"{call.contact}{' is not called' if skipped else ''}: {call.why}")
        if call.stage is Stage.ANSWERED:
            at = min(call.at or self.now, self.now)
            latest = max(filter(None, (self.at.answer_at, at)))
            answered = (*self.at.answered, call.contact)
            self.at = replace(self.at, answer_at=latest, answered=answered)

    def acknowledged(self) -> Move | None:
        """Return the end of a chain for which an answer is enough, if there was one."""
        if self.chain.until != ANSWERED:
            return None
        answers = [each for each in self._of_this_run() if each.stage is Stage.ANSWERED]
        return self._end(End(by=answers[-1].contact)) if answers else None

    def wait_for_answer(self) -> Move | None:
        """Return that the chain waits for who answered to say that they have it."""
        if self.at.answer_at is None:
            return None
        until = self.at.answer_at + self.chain.acknowledge_within
        return self._wait(until) if self.now < until else None

    def heed(self, hold: str) -> None:
        """Take note of what keeps everybody from being called, or that it is over: the time of the
        calls under way counts from then on.
        """
        before = self.at.held
        if hold and not before:
            self.lines.append(f"nobody can be called: {hold}; the chain waits until that is over")
        elif before and not hold:
            self.lines.append("calls are possible again: the chain goes on")
            tracks = tuple(replace(each, since=self.now) for each in self.at.tracks)
            self.at = replace(self.at, tracks=tracks)
        self.at = replace(self.at, held=hold)

    def count_anew(self, planned: datetime | None) -> None:
        """Give the calls that wait their whole time, where no process ran for a while."""
        if planned is not None and self.now - planned > LATE:
            self.at = replace(self.at, tracks=tuple(map(self._once_again, self.at.tracks)))

    def _once_again(self, track: Track) -> Track:
        if track.again or self._stage(track) is not Stage.WAITING:
            return track
        return replace(track, since=self.now, again=True)

    # -- where it goes ---------------------------------------------------------------------

    def go_on(self) -> Move:
        """Return what the chain does, as far as it goes now."""
        while True:
            tracks = tuple(filter(None, map(self._follow, self.at.tracks)))
            self.at = replace(self.at, tracks=tracks)
            if tracks:
                return self._wait(self._next_look(tracks))
            if self._pauses():
                return self._wait((self.at.paused_at or self.now) + self.at.pause)
            if self.at.last or self.at.step >= len(self.chain.steps) or self._full:
                return self._end(End(reason=self._reason()))
            self._next_group()

    def _next_look(self, tracks: Sequence[Track]) -> datetime:
        if self.at.held:
            return self.now + LOOK_AGAIN
        until = min(each.since for each in tracks) + self.chain.move_on_after
        return until if until > self.now else self.now + SELDOM

    def _pauses(self) -> bool:
        """Whether a pause is under way. One before the end is over when no call is."""
        if self.at.paused_at is None or (self.at.last and not self._under_way()):
            return False
        return self.now < self.at.paused_at + self.at.pause

    def _next_group(self) -> None:
        """Go to who comes next: in this time through the step, the next time, step, or round."""
        self.at = replace(self.at, paused_at=None)
        if self.at.waiting:
            group, *rest = self.at.waiting
            tracks = tuple(Track(name, self.now) for name in group)
            self.at = replace(self.at, waiting=tuple(rest), tracks=tracks)
        elif not self.at.begun:
            groups = self._groups()  # names who is skipped, and so changes `at`
            self.at = replace(self.at, waiting=groups, begun=True)
        else:
            self._next_time()

    def _next_time(self) -> None:
        step, at = self._step, self.at
        again = at.called and at.time + 1 < step.times and any(self._people(step))
        if again:
            self.at = replace(at, time=at.time + 1, begun=False)
        else:
            self.at = replace(at, step=at.step + 1, time=0, begun=False, answered=())
        if at.called:
            self._pause(step.every if again else step.wait)
        if not again:
            self._next_step(called=at.called)

    def _next_step(self, *, called: bool) -> None:
        """Begin the next step, or the next round where that was the last one. A round that called
        nobody is the last: at once, the next could do no more.
        """
        at = replace(self.at, called=False, rung=self.at.rung or called)
        if at.step < len(self.chain.steps):
            self.at = at
        elif at.round >= self.chain.repeat or not at.rung:
            self.at = replace(at, step=len(self.chain.steps) - 1, last=True)
            self._pause(self.chain.move_on_after)
        else:
            self.lines.append(f"round {at.round + 1} of {self.chain.repeat} begins")
            self.at = replace(at, round=at.round + 1, step=0, rung=False)

    def _pause(self, length: timedelta) -> None:
        self.at = replace(self.at, pause=length, paused_at=self.now)

    # -- who is called ---------------------------------------------------------------------

    @property
    def _step(self) -> Step:
        return self.chain.steps[self.at.step]

    def _groups(self) -> tuple[tuple[str, ...], ...]:
        """Return who is called this time through the step: each group at once."""
        step = self._step
        found = [each for name in _names(step) for each in self._named(name)]
        new = tuple(name for name in dict.fromkeys(found) if name not in self.at.answered)
        return tuple((name,) for name in new) if step.call_in_turn else tuple(filter(None, (new,)))

    def _named(self, name: str) -> list[str]:
        found = [each.name for each in self.who(name)]
        if not found:
            self._skip(name, "that stands for nobody now")
        return found

    def _people(self, step: Step) -> Iterator[str]:
        """Yield who of a step has not answered in it."""
        for name in _names(step):
            for person in self.who(name):
                if person.name not in self.at.answered:
                    yield person.name

    def _follow(self, track: Track) -> Track | None:
        """Return where a person's calls stand now; None where they are over."""
        stage = self._stage(track)
        if track.told and stage is Stage.CALLING:  # a worker has taken it now
            track = replace(track, since=self.now, told=False)
        late = not self.at.held and self.now >= track.since + self.chain.move_on_after
        if stage is None:
            return self._wait_for_earlier(track, late=late)
        if is_over(stage):
            return self._after(track, stage)
        if late and self._in_line(track):
            return self._tell_that_nobody_takes_it(track)
        if late:
            self._leave(track, stage)
        return None if late else track

    def _in_line(self, track: Track) -> bool:
        call = self.calls.get(track.call or 0)
        return bool(call and call.in_line) and self.now < track.since + IN_LINE

    def _tell_that_nobody_takes_it(self, track: Track) -> Track:
        if not track.told:
            self.lines.append(f"no worker takes the call to {track.contact}: the chain waits")
        return replace(track, told=True)

    def _wait_for_earlier(self, track: Track, *, late: bool) -> Track | None:
        """Call somebody when no call of before to them is under way any more."""
        if track.contact in self.at.answered:
            return None
        if not self._busy(track.contact):
            return self._call(track)
        if late:
            self.at = replace(self.at, called=True)
            self._skip(track.contact, EARLIER)
        return None if late else track

    def _after(self, track: Track, stage: Stage) -> Track | None:
        """Call the person's next number, unless they answered."""
        self.at = replace(self.at, called=self.at.called or stage is not Stage.SKIPPED)
        return (
            None if stage is Stage.ANSWERED else self._call(replace(track, number=track.number + 1))
        )

    def _leave(self, track: Track, stage: Stage) -> None:
        """Go on without waiting for a call."""
        self.at = replace(self.at, called=True)
        length = spoken(self.chain.move_on_after.total_seconds())
        what = "was not dialled within" if stage is Stage.WAITING else "is not over after"
        self.lines.append(f"the call to {track.contact} {what} {length}: the chain goes on")
        if stage is Stage.WAITING and track.call is not None:
            self.cancel.append(track.call)

    def _wait(self, until: datetime) -> Move:
        rings, cancel = tuple(self.rings), tuple(self.cancel)
        return Move(self.at, rings, cancel, tuple(self.lines), next_at=until)

    def _end(self, end: End) -> Move:
        rings, cancel = tuple(self.rings), tuple(self.cancel)
        return Move(self.at, rings, cancel, tuple(self.lines), end=end)


def _names(step: Step) -> tuple[str, ...]:
    return step.call or step.call_in_turn

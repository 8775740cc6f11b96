"""A world for chains without a store: people, how their calls go, and a clock that may step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dispatcher.model.on_call import Chain, Person
from dispatcher.policy.chain_position import Position
from dispatcher.policy.chain_values import End, Made, Move, Ring, Stage
from dispatcher.policy.chains import next_move

BEGAN = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Goes:
    """How a call goes: it is dialled after `waits` seconds and over `lasts` later, as `ends`."""

    waits: float = 1
    lasts: float = 20
    ends: Stage = Stage.OVER
    in_line: bool = False


@dataclass
class World:
    """Plays a chain to its end. `goes` says how a call goes, by its number from 1."""

    chain: Chain
    people: Mapping[str, Sequence[Person]]
    goes: Callable[[int, Ring], Goes] = lambda *_: Goes()
    change: Callable[[World], object] = lambda _: None
    """What happens in the world before each look."""
    now: datetime = BEGAN
    hold: str = ""
    position: Position | None = None
    made: list[Made] = field(default_factory=list)
    rings: list[tuple[datetime, Ring]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    planned: datetime | None = None
    end: End | None = None
    looks: int = 0
    _begins: dict[int, datetime] = field(default_factory=dict)
    _ends: dict[int, datetime] = field(default_factory=dict)

    def who(self, name: str) -> Sequence[Person]:
        """Return who is meant by a name now."""
        return self.people.get(name, ())

    def play(self, most: int = 20_000) -> End:
        """Look until the chain has come to its end. Raises AssertionError if it never does."""
        while self.end is None:
            self.looks += 1
            assert self.looks < most, f"no end after {most} looks: {self.position}"
            self.look()
            self._pass_time()
        return self.end

    def look(self) -> Move:
        """Decide once, as a process does, and write down what follows."""
        self.change(self)
        self._pass_calls()
        text = self.position and self.position.to_text()
        position = None if text is None else Position.of_text(text)
        move = next_move(
            self.chain,
            self.who,
            position,
            self.made,
            self.now,
            hold=self.hold,
            planned=self.planned,
        )
        self._write(move)
        return move

    def called(self) -> list[str]:
        """Return who was called, in order."""
        return [ring.contact for _, ring in self.rings if not ring.skipped]

    def _write(self, move: Move) -> None:
        for number in move.cancel:
            if self.made[number - 1].stage is Stage.WAITING:
                self._set(number, Stage.OVER, "cancelled")
        for ring in move.calls:
            self._make(ring)
        self.position, self.planned, self.end = move.position, move.next_at, move.end
        self.lines.extend(move.lines)

    def _make(self, ring: Ring) -> None:
        number = len(self.made) + 1
        self.rings.append((self.now, ring))
        how = self.goes(number, ring)
        refused = ring.skipped or (how.ends is Stage.SKIPPED and "refused")
        stage = Stage.SKIPPED if refused else Stage.WAITING
        why, in_line = refused or "", how.in_line
        self.made.append(Made(number, ring.contact, stage, why=why, in_line=in_line))
        self._begins[number] = self.now + timedelta(seconds=how.waits)
        self._ends[number] = self._begins[number] + timedelta(seconds=how.lasts)

    def _pass_calls(self) -> None:
        for call in list(self.made):
            if call.stage is Stage.WAITING and self._begins[call.number] <= self.now:
                if self.hold:
                    continue
                self._set(call.number, Stage.CALLING, "")
            rings = self.made[call.number - 1].stage is Stage.CALLING
            if rings and self._ends[call.number] <= self.now:
                ends = self.goes(call.number, self.rings[call.number - 1][1]).ends
                self._set(call.number, ends, str(ends))

    def _set(self, number: int, stage: Stage, why: str) -> None:
        call = self.made[number - 1]
        self.made[number - 1] = replace(call, stage=stage, at=self.now, why=why)

    def _pass_time(self) -> None:
        """Go to when something happens next: news of a call, or the next look."""
        if self.end:
            return
        assert self.planned is not None, "nothing happens next"
        news = [
            self._ends[call.number]
            for call in self.made
            if call.stage in (Stage.WAITING, Stage.CALLING) and self._ends[call.number] > self.now
        ]
        assert self.position is not None
        if any(e.stage is Stage.SKIPPED and e.number not in self.position.heard for e in self.made):
            news.append(self.now)
        least = self.now + timedelta(milliseconds=1)
        self.now = max(least, min([self.planned, *news]))


def person(name: str, numbers: int = 1, *, why_not: str = "") -> Person:
    """Return somebody with so many numbers."""
    digits = sum(map(ord, name))
    mine = tuple(f"+8180{digits:05d}{place:03d}" for place in range(numbers))
    return Person(name, mine, available=not why_not, why_not=why_not)


def people(*names: str) -> dict[str, list[Person]]:
    """Return contacts by name."""
    return {name: [person(name)] for name in names}

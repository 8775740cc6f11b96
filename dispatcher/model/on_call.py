"""Who is called for an alert: contacts, teams, rotas, chains, and the routes that lead to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from dispatcher.model import label_patterns
from dispatcher.model.alert_texts import Texts
from dispatcher.model.on_call_fields import (
    NOBODY_CALLED,
    Clock,
    Day,
    Duration,
    Name,
    Names,
    Number,
    OwnHours,
    Zone,
    fits,
    listed,
    moment,
)
from dispatcher.model.request_fields import Language
from dispatcher.values.zones import zone


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Contact(_Part):
    """A person: `numbers` are E.164, called one after another.

    `hours` are calling hours (values/calling_hours.py) in `zone`, or else in that of the number;
    outside of these the chain goes on without them. None: at any time.
    """

    numbers: Annotated[tuple[Number, ...], Field(min_length=1, max_length=5)] = Field(repr=False)
    lang: Language | None = None
    hours: OwnHours | None = None
    zone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_number(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "number" not in given:
            return given
        if "numbers" in given:
            raise ValueError("give either `number` or `numbers`")
        rest = {name: value for name, value in given.items() if name != "number"}
        return {**rest, "numbers": (given["number"],)}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is on call at a moment: `numbers` are E.164, called one after another.

    `why_not` says in words why they are not called now, where they are not `available`.
    """

    name: str
    numbers: tuple[str, ...]
    lang: str | None = None
    available: bool = True
    why_not: str = ""

    def __repr__(self) -> str:
        return f"Person({self.name!r})"


class Shift(_Part):
    """A stretch in which somebody else is on call than the rota says: `who` or `nobody`.

    `start` and `end` are days (2026-12-24; the end is not part of it) or times (ISO 8601), in the
    rota's zone where they name none.
    """

    who: str
    start: str = Field(validation_alias=AliasChoices("from", "start"))
    end: str = Field(validation_alias=AliasChoices("to", "end"))
    why: Annotated[str, Field(max_length=200)] = ""

    def stretch(self, in_zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when it begins and ends, UTC. Raises ValueError."""
        begins, ends = (moment(text, in_zone) for text in (self.start, self.end))
        if ends <= begins:
            raise ValueError(f"it ends ({self.end}) before it begins ({self.start})")
        return begins.astimezone(UTC), ends.astimezone(UTC)


class Rota(_Part):
    """Who is on call when: `members` take turns of `turn` (whole days), from `start` on.

    A turn begins at `handover` by the clock of `zone`. `holidays` overrule the turns.
    """

    members: Annotated[Names, Field(min_length=1)]
    start: Day
    turn: Duration = timedelta(weeks=1)
    handover: Clock = "09:00"
    zone: Zone = "UTC"
    holidays: tuple[Shift, ...] = ()

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if not self.turn or self.turn % timedelta(days=1):
            raise ValueError(f"turn: {self.turn} is no number of whole days: write 1d or 7d")
        for n, shift in enumerate(self.holidays, 1):
            try:
                shift.stretch(zone(self.zone))
            except ValueError as error:
                raise ValueError(f"holidays[{n}]: {error}") from None
        return self


class Step(_Part):
    """Who is called: all at once (`call`), or one after another (`call_in_turn`).

    It is gone through `times` times, with `every` between the end of one and the next; `wait` after
    it, before the chain goes on. There is neither pause where nobody could be called.
    """

    call: Names = ()
    call_in_turn: Names = ()
    times: Annotated[int, Field(ge=1, le=10)] = 1
    every: Duration = timedelta(minutes=1)
    wait: Duration = timedelta(0)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if bool(self.call) == bool(self.call_in_turn):
            raise ValueError("give either `call` (all at once) or `call_in_turn`, with a name")
        return self


class Storm(_Part):
    """More than so many alerts of a chain within so long are told of by one call."""

    more_than: Annotated[int, Field(ge=1, le=1000)] = 5
    within: Annotated[Duration, Field(le=timedelta(days=1))] = timedelta(minutes=5)


class Chain(_Part):
    """Steps that are gone through until somebody has the alert, `repeat` times in all.

    `until`: an answer is enough (`answered`), or somebody must say that they have it
    (`acknowledged`). After an answer the chain waits for that for `acknowledge_within`. A call that
    is not over after `move_on_after` keeps it no longer. An alert that is reported again rings
    again when `repeat_after` has passed. `tell_resolved`: who was called is told that it is over.
    """

    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]
    repeat: Annotated[int, Field(ge=1, le=20)] = 1
    until: Literal["acknowledged", "answered"] = "acknowledged"
    acknowledge_within: Duration = timedelta(minutes=5)
    move_on_after: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=2)
    repeat_after: Duration = timedelta(hours=4)
    storm: Storm = Storm()
    tell_resolved: bool = False

    @property
    def names(self) -> Iterator[str]:
        """Who is named in it, with repetitions."""
        for step in self.steps:
            yield from (*step.call, *step.call_in_turn)


class Route(_Part):
    """Which chain alerts with these labels go to; `none`: nobody is called.

    Each of `match` is a value, a list of values of which one fits, or a pattern after `~`.
    """

    match: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    chain: str

    @model_validator(mode="after")
    def _patterns(self) -> Self:
        for name, wanted in self.match.items():
            for value in listed(wanted):
                if value.startswith("~"):
                    _check_pattern(name, value[1:])
        return self

    @property
    def called(self) -> bool:
        """Whether anybody is called."""
        return self.chain != NOBODY_CALLED

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels takes this route."""
        return all(fits(labels.get(name, ""), wanted) for name, wanted in self.match.items())


def _check_pattern(name: str, text: str) -> None:
    try:
        label_patterns.check(text)
    except ValueError as error:
        raise ValueError(f"match.{name}: {error}") from None


class Drill(_Part):
    """A chain is rung on a schedule, to see that it rings: `every` day or weekday, `at` a time."""

    chain: str
    every: Literal["day", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    at: Clock = "10:00"
    zone: Zone = "UTC"


class OnCall(_Part):
    """The whole of a chains file, checked.

    `region` (ISO 3166): where numbers without + are dialled. Without `routes` all alerts go to the
    only chain. `texts`: what calls say in a language, where that is not ours.
    """

    region: str | None = None
    contacts: dict[Name, Contact] = Field(default_factory=dict)
    teams: dict[Name, Names] = Field(default_factory=dict)
    rotas: dict[Name, Rota] = Field(default_factory=dict)
    chains: dict[Name, Chain] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    drills: tuple[Drill, ...] = ()
    texts: dict[Language, Texts] = Field(default_factory=dict)

    @property
    def callable_names(self) -> frozenset[str]:
        """All that a step may call."""
        return frozenset({*self.contacts, *self.teams, *self.rotas})

    def route(self, labels: Mapping[str, str]) -> Route | None:
        """Return the first route that fits; None: none does."""
        routes = self.routes or tuple(Route(chain=name) for name in self.chains)
        return next((route for route in routes if route.fits(labels)), None)

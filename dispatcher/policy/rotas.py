"""Who is on call at a moment, by rotas, holidays, swaps and people's own hours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from dispatcher.errors import UsageError
from dispatcher.model.job import iso
from dispatcher.model.on_call import Contact, OnCall, Person, Rota, Shift
from dispatcher.model.on_call_fields import NOBODY
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.zones import zone

_MOST_TURNS = 10_000
LONGEST_WHY = 200


class InvalidSwap(UsageError, ValueError):
    """A swap cannot be; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on call from `start` until before `end` (aware, UTC).

    `who` None: nobody, and `why` says why; else `why` says what overrules the rota, if anything.
    """

    start: datetime
    end: datetime
    who: str | None
    why: str = ""

    def to_dict(self) -> dict[str, str | None]:
        """Return it as JSON knows it."""
        return {"from": iso(self.start), "to": iso(self.end), "who": self.who, "why": self.why}


def who_is(
    on_call: OnCall, now: datetime, swaps: Mapping[str, Sequence[Shift]] = {}
) -> Callable[[str], list[Person]]:
    """Return what tells who is meant by a name right now. `swaps`: of each rota, the latest last.

    A name that is gone, and a rota with a hole, come to one person who is not available, with the
    reason.
    """

    def people(name: str) -> list[Person]:
        if name in on_call.contacts:
            return [_person(name, on_call.contacts[name], now)]
        if name in on_call.teams:
            return [each for member in on_call.teams[name] for each in people(member)]
        if name in on_call.rotas:
            turn = turn_at(name, on_call.rotas[name], now, swaps.get(name, ()))
            return people(turn.who) if turn.who else [_nobody(name, turn.why)]
        return [_nobody(name, f"there is no contact, team or rota {name} any more")]

    return people


def turn_at(name: str, rota: Rota, now: datetime, swaps: Sequence[Shift] = ()) -> Turn:
    """Return whose turn it is at a moment: by the latest swap, a holiday, or the rota itself."""
    start, end = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for shift, kind, begins, ends in _overrules(rota, swaps):
        if begins <= now < ends:
            why = f"{kind}{': ' + shift.why if shift.why else ''}"
            who = None if shift.who == NOBODY else shift.who
            return Turn(max(start, begins), min(end, ends), who, why)
        start = max(start, ends) if ends <= now else start
        end = min(end, begins) if begins > now else end
    begins, ends, who = _turn(rota, now)
    why = "" if who else f"the rota {name} begins on {rota.start}"
    return Turn(max(start, begins), min(end, ends), who, why)


def turns(
    name: str, rota: Rota, since: datetime, until: datetime, swaps: Sequence[Shift] = ()
) -> Iterator[Turn]:
    """Yield whose turn it is from one moment to another, in order and without gaps."""
    at = since
    for _ in range(_MOST_TURNS):
        if at >= until:
            return
        turn = turn_at(name, rota, at, swaps)
        end = min(until, turn.end)
        yield Turn(at, end, turn.who, turn.why)
        at = end


def new_swap(
    on_call: OnCall, rota: Rota, who: str, between: tuple[str, str], why: str = ""
) -> tuple[Shift, datetime]:
    """Return a shift that is to overrule a rota, checked, and when it ends. Raises InvalidSwap."""
    if who != NOBODY and who not in {*on_call.contacts, *on_call.teams}:
        known = ", ".join([*on_call.contacts, *on_call.teams])
        raise InvalidSwap(f"there is no contact or team {who[:40]!r}: name {NOBODY}, {known}")
    if len(why) > LONGEST_WHY:
        raise InvalidSwap(f"the note has more than {LONGEST_WHY} characters")
    shift = Shift.model_validate({"who": who, "from": between[0], "to": between[1], "why": why})
    try:
        return shift, shift.stretch(zone(rota.zone))[1]
    except (ValueError, OverflowError) as error:
        raise InvalidSwap(str(error)) from None


def _overrules(
    rota: Rota, swaps: Sequence[Shift]
) -> Iterator[tuple[Shift, str, datetime, datetime]]:
    """Yield what overrules the turns, the strongest first, and when it begins and ends."""
    by_hand = [(each, "swap") for each in reversed(swaps)]
    for shift, kind in (*by_hand, *((each, "holiday") for each in rota.holidays)):
        # One that was checked in another zone may not be, in an hour that clocks leave out.
        with suppress(ValueError):
            yield shift, kind, *shift.stretch(zone(rota.zone))


def _turn(rota: Rota, now: datetime) -> tuple[datetime, datetime, str | None]:
    """Return the turn of the rota itself. Its bounds are moments, not times of day: an hour that a
    clock change repeats begins no turn twice.
    """
    days = rota.turn.days
    number = (now.astimezone(zone(rota.zone)).date() - rota.start).days // days
    while now < _begins(rota, number):
        number -= 1
    while now >= _begins(rota, number + 1):
        number += 1
    if number < 0:
        return datetime.min.replace(tzinfo=UTC), _begins(rota, 0), None
    who = rota.members[number % len(rota.members)]
    return _begins(rota, number), _begins(rota, number + 1), who


def _begins(rota: Rota, number: int) -> datetime:
    day = rota.start + timedelta(days=number * rota.turn.days)
    at = datetime.combine(day, time.fromisoformat(rota.handover), zone(rota.zone))
    return at.astimezone(UTC)


def _person(name: str, contact: Contact, now: datetime) -> Person:
    why_not = _why_not(contact, now)
    return Person(name, contact.numbers, contact.lang, available=not why_not, why_not=why_not)


def _why_not(contact: Contact, now: datetime) -> str:
    if contact.hours is None:
        return ""
    text = f"{contact.hours} {contact.zone}" if contact.zone else contact.hours
    window = CallingHours.parse(text).window(contact.numbers, now)
    return "" if window and window.opens <= now else f"outside their hours ({contact.hours})"


def _nobody(name: str, why: str) -> Person:
    return Person(name, (), available=False, why_not=why or "nobody is on call")

"""Somebody calls back: which alert they acknowledge with it, and what they hear.

The provider tells no call apart from another, and may ask twice about one. So whoever asks again
soon after hears the same, and nothing is done; after that, calling again acknowledges the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, Self

from dispatcher.alerts.dial_in_phrases import DIAL_IN_PHRASES, DialInPhrases
from dispatcher.alerts.phrases import OTHERWISE
from dispatcher.alerts.spoken import name_for_ears
from dispatcher.errors import DispatcherError
from dispatcher.model.alert import Acknowledgement, Alert, AlertState, UnknownAlert
from dispatcher.model.on_call import OnCall
from dispatcher.provider import DialIn, DialInAnswer, Say, Transfer
from dispatcher.values.masking import TAIL, mask_number

if TYPE_CHECKING:
    from dispatcher.store import Store

log = logging.getLogger(__name__)

SAME_CALL: Final = timedelta(seconds=15)
"""For so long after an acknowledgement the same caller hears the same: nobody hears a sentence to
its end, hangs up and calls again in less."""
_WAITING: Final = (AlertState.RINGING, AlertState.UNREACHED)
"""What calling back acknowledges, the first kind before the second."""
_SAID: Final = frozenset(AlertState) - {AlertState.FOLDED, AlertState.NOT_CALLED}
"""Those that call people by themselves."""


class GaveUp(DispatcherError):
    """Whoever called has been answered already, so that nothing is written any more."""

    def __init__(self) -> None:
        super().__init__("the caller was answered before the records were read")


class Turn:
    """Whether a caller still waits for the answer, and whether Redis was asked to write.

    What is written after they heard that nothing was would be theirs without their knowing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self.begun = False

    def begin(self) -> None:
        """Say that something is about to be written. Raises GaveUp where nobody waits for it."""
        with self._lock:
            if self._over:
                raise GaveUp
            self.begun = True

    def give_up(self) -> None:
        """Say that nobody waits any more."""
        with self._lock:
            self._over = True


class Acted(Protocol):
    """What an acknowledgement came to, and the alert as it then stands."""

    @property
    def done(self) -> bool: ...

    @property
    def alert(self) -> Alert: ...


@dataclass(frozen=True, slots=True)
class Records:
    """What is asked of the records, each of which may raise DispatcherError.

    `on_call`: who is on call now. `rings_for`: the alerts that called a number (E.164), the latest
    first. `acknowledge`: an alert's id, and who has it. `now` is by the records' clock.
    """

    on_call: Callable[[], OnCall | None]
    rings_for: Callable[[str], Sequence[Alert]]
    acknowledge: Callable[[str, str], Acted]
    now: Callable[[], datetime]

    @classmethod
    def of(cls, store: Store) -> Self:
        """Return those of a store."""
        return cls(
            store.on_call.in_force,
            store.alerts.rings_for,
            lambda id_, who: store.alerts.acknowledge(id_, by=who, how=Acknowledgement.DIAL_IN),
            store.moment,
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Who calls, by their number."""

    name: str
    numbers: tuple[str, ...] = field(repr=False)
    lang: str


@dataclass(frozen=True)
class DialIns:
    """Answers people who call. `lang` is for those of whom nothing else is known; `unknown` is the
    number to which callers are transferred whom nobody knows, None: they are told so.
    """

    records: Records
    lang: str
    unknown: str | None = field(default=None, repr=False)

    def answer(self, asked: DialIn, turn: Turn | None = None) -> DialInAnswer:
        """Acknowledge what the caller was called for, and return what they hear. Never raises."""
        turn = turn or Turn()
        try:
            return self._answer(asked, turn)
        except DispatcherError as error:
            log.warning("somebody who called was told to call again: %s", error)
            return self.away(turn)

    def away(self, turn: Turn) -> Say:
        """Return what is said when the records do not answer."""
        words = phrases(self.lang)
        return _say(self.lang, [words.unsure if turn.begun else words.away])

    def _answer(self, asked: DialIn, turn: Turn) -> DialInAnswer:
        if asked.caller is None:
            log.info("somebody with a hidden number called: nothing was acknowledged")
            return _say(self.lang, [phrases(self.lang).hidden])
        person = self._contact(asked.caller)
        rung = self._rung(person.numbers if person else (asked.caller,))
        if person is None and not rung:
            log.info("a number that is not known called: %s", mask_number(asked.caller))
            return self._nobody()
        person = person or Person(mask_number(asked.caller), (), self.lang)
        return self._known(person, rung, turn)

    def _nobody(self) -> DialInAnswer:
        if self.unknown:
            return Transfer(self.unknown)
        return _say(self.lang, [phrases(self.lang).unknown])

    def _known(self, person: Person, rung: Sequence[Alert], turn: Turn) -> Say:
        pick = picked(rung, person.name, self.records.now())
        if pick.acknowledge and pick.alert:
            turn.begin()
            pick = self._acknowledged(pick, pick.alert, person.name)
        log.info("%s called back: %s", person.name, _logged(pick))
        return _say(person.lang, sentences(pick, person))

    def _acknowledged(self, pick: Pick, alert: Alert, name: str) -> Pick:
        try:
            acted = self.records.acknowledge(alert.id, name)
        except UnknownAlert:  # purged in between
            return Pick(None)
        done = acted.done or acted.alert.acknowledged_by == name
        return replace(pick, alert=acted.alert, new=done)

    def _contact(self, number: str) -> Person | None:
        known = self.records.on_call()
        for name, contact in known.contacts.items() if known else ():
            if number in contact.numbers:
                return Person(name, contact.numbers, contact.lang or self.lang)
        return None

    def _rung(self, numbers: Iterable[str]) -> list[Alert]:
        """Return the alerts that called any of a person's numbers, the latest first."""
        lists = [self.records.rings_for(number) for number in numbers]
        if len(lists) == 1:
            return list(lists[0])
        found = {alert.id: alert for alerts in lists for alert in alerts}
        return sorted(found.values(), key=_called_at, reverse=True)


@dataclass(frozen=True, slots=True)
class Pick:
    """The alert that is spoken of, None where there is none.

    `acknowledge`: it is to be acknowledged. `new`: it is theirs by this very call. `waits`: how
    many others could be acknowledged by calling again.
    """

    alert: Alert | None
    acknowledge: bool = False
    new: bool = False
    waits: int = 0


def picked(rung: Sequence[Alert], who: str, now: datetime) -> Pick:
    """Return which of the alerts that called somebody, the latest first, is spoken of."""
    waiting = [alert for state in _WAITING for alert in rung if alert.state is state]
    for alert in rung:
        if _is_of_this_call(alert, who, now):
            return Pick(alert, new=True, waits=len(waiting))
    if waiting:
        return Pick(waiting[0], acknowledge=True, waits=len(waiting) - 1)
    return Pick(next((alert for alert in rung if alert.state in _SAID), None))


def _is_of_this_call(alert: Alert, who: str, now: datetime) -> bool:
    theirs = alert.acknowledged_by == who and alert.acknowledged_how is Acknowledgement.DIAL_IN
    at = alert.acknowledged_at
    held = alert.state is AlertState.ACKNOWLEDGED and theirs
    return held and at is not None and abs(now - at) < SAME_CALL


def _logged(pick: Pick) -> str:
    """Return what is logged of a call: ids, and nothing that monitoring wrote."""
    if pick.alert is None:
        return "no alert has called them"
    what = "acknowledged" if pick.new else f"nothing to do, it is {pick.alert.state}"
    return f"alert {pick.alert.id}: {what}"


def sentences(pick: Pick, person: Person) -> list[str]:
    """Return what a person hears of an alert, and of those that wait."""
    words = phrases(person.lang)
    if pick.alert is None:
        return [words.nothing]
    gaps = {
        "what": name_for_ears(pick.alert, voice(person.lang)),
        "who": _for_ears(pick.alert.acknowledged_by or ""),
        "many": str(pick.alert.firing_members),
    }
    return [_of(pick, person.name, words).format(**gaps), *_waiting(pick.waits, words)]


def _for_ears(actor: str) -> str:
    """Return who acted as it is said: `ann` of `cli:ann`, the last digits of a number."""
    name = actor.rpartition(":")[2]
    return ", ".join(name[-TAIL:]) if "*" in name else name


def _of(pick: Pick, who: str, words: DialInPhrases) -> str:
    """Return the sentence for where an alert stands."""
    alert = pick.alert
    assert alert is not None  # noqa: S101 - the caller looked
    if pick.new:
        return words.bundle if alert.firing_members > 1 else words.acknowledged
    if alert.state is AlertState.RESOLVED:
        return words.resolved
    if alert.state is AlertState.CANCELLED:
        return words.cancelled
    return words.yours if alert.acknowledged_by == who else words.taken


def _waiting(many: int, words: DialInPhrases) -> list[str]:
    if not many:
        return []
    text = words.one_waits if many == 1 else words.more_wait
    return [text.format(many=many), words.next_]


def voice(lang: str) -> str:
    """Return the language in which somebody is answered: English where we do not know theirs."""
    return lang if lang in DIAL_IN_PHRASES else OTHERWISE


def phrases(lang: str) -> DialInPhrases:
    """Return the sentences of a language, or the English ones."""
    return DIAL_IN_PHRASES[voice(lang)]


def _say(lang: str, said: Sequence[str]) -> Say:
    end = phrases(lang).end
    return Say("".join(sentence + end for sentence in said).strip(), voice(lang))


def _called_at(alert: Alert) -> datetime:
    """Return when an alert called last, as far as that is known."""
    ever = datetime.min.replace(tzinfo=UTC)
    rang = max((call.at for call in alert.calls if call.job_id), default=ever)
    return max(rang, alert.rung_at or ever, alert.received_at)

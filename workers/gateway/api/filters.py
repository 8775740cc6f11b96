"""Which jobs a caller means, and may mean."""

from __future__ import annotations

from dispatcher.durations import past
from dispatcher.masking import mask_text
from dispatcher.request import InvalidJob
from dispatcher.states import State
from dispatcher.store.filters import Filter
from dispatcher.store.keys import Scope
from workers.gateway.api.caller import LAST_DIGITS, Caller
from workers.gateway.api.fields import Fields

NAMES = ("state", "reason", "tag", "recipient", "producer", "since", "until")


def meant(fields: Fields, caller: Caller) -> Filter:
    """Return the filter that the fields describe. Raises InvalidJob, InvalidFilter, Problem."""
    return Filter(
        states=fields.texts("state", _state) or (),
        reason=fields.text("reason", str),
        tag=_tag(fields, caller),
        recipient=_recipient(fields, caller),
        since=fields.text("since", past),
        until=fields.text("until", past),
        producer=_producer(fields, caller),
    )


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no state: {', '.join(State)}") from None


def _producer(fields: Fields, caller: Caller) -> str | None:
    wanted = fields.text("producer", str)
    if caller.sees_all:
        return wanted
    if wanted not in {None, caller.name}:
        caller.require(Scope.READ)
    return caller.name


def _tag(fields: Fields, caller: Caller) -> str | None:
    """Return the tag. Who sees masks only must not find out a number in it by searching for it."""
    wanted = fields.text("tag", str)
    if wanted is not None and caller.sees_masks and mask_text(wanted) != wanted:
        raise InvalidJob(
            [("tag", "keys that only read see numbers in tags masked, and cannot search by them")]
        )
    return wanted


def _recipient(fields: Fields, caller: Caller) -> str | None:
    """Return the number. Who sees masks only must not find out the rest by searching for it."""
    wanted = fields.text("recipient", str)
    if wanted is not None and caller.sees_masks and len(wanted) > LAST_DIGITS:
        raise InvalidJob(
            [("recipient", f"keys that only read search by {LAST_DIGITS} last digits at most")]
        )
    return wanted

"""Which jobs a caller means, and may mean."""

from __future__ import annotations

from dispatcher.model.api_key import Scope
from dispatcher.model.filters import Filter, InvalidFilter
from dispatcher.model.request_limits import idempotency_key
from dispatcher.model.states import State
from dispatcher.values.durations import past
from dispatcher.values.masking import mask_text
from workers.gateway.api.authenticator import Caller
from workers.gateway.api.fields import Fields

NAMES = ("state", "reason", "tag", "recipient", "producer", "since", "until")


def filter_of(fields: Fields, caller: Caller) -> Filter:
    """Return the filter that the fields describe. Raises InvalidJob, InvalidFilter, Problem."""
    found = Filter(
        states=fields.texts("state", State) or (),
        reason=fields.text("reason", str),
        tag=fields.text("tag", str),
        recipient=fields.text("recipient", str),
        since=fields.text("since", past),
        until=fields.text("until", past),
        producer=_producer(fields, caller),
    )
    if caller.sees_masks:
        found.require_masked()
    return found


def key_of(fields: Fields, caller: Caller) -> str | None:
    """Return the idempotency key that is looked for. Raises InvalidJob, InvalidFilter."""
    key = fields.text("key", idempotency_key)
    if key is not None and caller.sees_masks and mask_text(key) != key:
        raise InvalidFilter(
            "key", "keys with only the scope read cannot search by keys with a number in them"
        )
    return key


def _producer(fields: Fields, caller: Caller) -> str | None:
    producer = fields.text("producer", str)
    if caller.sees_all:
        return producer
    if producer not in {None, caller.name}:
        caller.require(Scope.READ)
    return caller.name

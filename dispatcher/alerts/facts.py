"""What the decisions about chains go by, besides the alert itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dispatcher.model.alert import Alert
from dispatcher.model.alert_texts import Texts
from dispatcher.model.states import Priority
from dispatcher.policy.chain_book import Who
from dispatcher.policy.rotas import who_is
from dispatcher.store import Store

if TYPE_CHECKING:
    from dispatcher.model.on_call import Chain, OnCall

log = logging.getLogger(__name__)

ACTOR: Final = "alert"
"""Whose jobs the calls of chains are, as ops/advance_alert.lua writes them."""


@dataclass(frozen=True)
class _Call:
    """What holds go by."""

    tags: tuple[str, ...] = ()
    producer: str = ACTOR
    priority: Priority = Priority.URGENT


A_CALL: Final = _Call()


class Facts:
    """What the chains that are moved on together have in common, each read when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def who(self) -> Who:
        """Who is meant by a name now."""
        if self._on_call is None:
            return lambda _: ()
        now = self._store.moment()
        return who_is(self._on_call, now, self._store.on_call.overrides())

    def chain(self, alert: Alert) -> Chain:
        """Return the chain as it is now, of an alert whose own cannot be read: without steps, which
        is at its end at once, where there is none any more.
        """
        from dispatcher.model.on_call import Chain  # noqa: PLC0415 - pydantic, seldom needed

        log.warning(
            "the chain kept with alert %s is unreadable: the present one is taken", alert.id
        )
        chains = self._on_call.chains if self._on_call else {}
        return chains.get(alert.chain or "") or Chain.model_construct(steps=())

    @cached_property
    def texts(self) -> Mapping[str, Texts]:
        """What calls say in words of the users' own, by language."""
        return self._on_call.texts if self._on_call else {}

    @cached_property
    def lang(self) -> str:
        """The language of who is called and has none of their own."""
        return self._store.languages.default()

    @cached_property
    def _on_call(self) -> OnCall | None:
        return self._store.on_call.in_force()

    @cached_property
    def hold(self) -> str:
        """Why nobody can be called for an alert, '' where they can."""
        stops = (each for each in self._store.holds.all() if each.stops(A_CALL))
        return next((each.why or each.name for each in stops), "")

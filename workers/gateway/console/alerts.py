"""Alerts: the list, one with its calls and its timeline, and the two things to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.alerts.acting import stopped, taken
from dispatcher.alerts.story import REASONS, stories, story
from dispatcher.model.alert import ALERT_TRANSITIONS, Acknowledgement, Alert, AlertState
from dispatcher.values.masking import mask_text
from workers.gateway.console.actions import noted
from workers.gateway.console.context import ConsoleContext, ours, redirect
from workers.gateway.console.forms import Fields, query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

PAGE = 50
SHOWN = 20
"""Alerts that are shown with their calls: each takes a few reads."""
URGENT = (AlertState.UNREACHED, AlertState.RINGING)
"""What nobody has, and somebody must have."""


class Alerts:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show who is called for what now, or a page of all alerts or of those of a state."""
        fields = query(request)
        asked = [AlertState(each) for each in fields.many("state") if each in set(AlertState)]
        if asked or fields.one("all"):
            return self._page(asked, fields.one("cursor") or None, visitor)
        return self._open(visitor)

    def _open(self, visitor: Visitor) -> Response:
        store = self._context.store
        counts = store.alerts.counts()
        taken_care_of = store.alerts.page(states=[AlertState.ACKNOWLEDGED], limit=SHOWN).alerts
        return self._context.pages.page(
            "alerts_open.html",
            visitor,
            urgent=stories(store, self._urgent()),
            urgent_many=sum(counts[state] for state in URGENT),
            had=taken_care_of,
            had_many=counts[AlertState.ACKNOWLEDGED],
            reasons=REASONS,
            tabs=_tabs(counts, None),
            now=store.now(),
        )

    def _urgent(self) -> Sequence[Alert]:
        """Return what nobody has, the worst first: who could not be reached, then by severity."""
        found = list[Alert]()
        for state in URGENT:
            alerts = self._context.store.alerts.page(states=[state], limit=SHOWN).alerts
            found += sorted(alerts, key=lambda alert: alert.severity.rank)
        return found[:SHOWN]

    def _page(self, asked: Sequence[AlertState], cursor: str | None, visitor: Visitor) -> Response:
        store = self._context.store
        page = store.alerts.page(states=asked or None, limit=PAGE, cursor=cursor)
        again = [("state", str(each)) for each in asked] or [("all", "1")]
        return self._context.pages.page(
            "alerts.html",
            visitor,
            alerts=page.alerts,
            first=_list(*again) if cursor else "",
            older=_list(*again, ("cursor", page.cursor)) if page.cursor else "",
            asked=asked,
            tabs=_tabs(store.alerts.counts(), asked),
            now=store.now(),
        )

    def one(self, request: Request, visitor: Visitor) -> Response:
        """Show an alert whole: who was called when, how it went, who has it."""
        found = story(self._context.store, request.path_params["id"])
        because = mask_text(found.because)
        return self._context.pages.page(
            "alert.html",
            visitor,
            alert=found.alert,
            story=found,
            because=because[:1].upper() + because[1:],
            can=can(found.alert),
            link=_web(found.alert.link, whole=visitor.operates),
        )

    def acknowledge(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Say that the visitor has the alert."""
        id_, note = request.path_params["id"], noted(fields, needed=False)
        acted = self._context.store.alerts.acknowledge(
            id_, by=visitor.actor, how=Acknowledgement.CONSOLE, note=note
        )
        taken(acted)  # of one that has ended an error is told
        return redirect(ours(fields.one("next") or _one(id_)))

    def cancel(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Stop the alert's calls."""
        id_, note = request.path_params["id"], noted(fields, needed=False)
        stopped(self._context.store.alerts.cancel(id_, by=visitor.actor, note=note))
        return redirect(_one(id_))


def can(alert: Alert) -> frozenset[str]:
    """Return what a person may do about an alert."""
    after = ALERT_TRANSITIONS[alert.state]
    names = {AlertState.ACKNOWLEDGED: "acknowledge", AlertState.CANCELLED: "cancel"}
    return frozenset(name for state, name in names.items() if state in after)


def _tabs(
    counts: Mapping[AlertState, int], asked: Sequence[AlertState] | None
) -> list[tuple[str, str, bool]]:
    """Return the views: what is open now (`asked` is None), all, and each state that has any."""
    of_states = [
        (
            f"{counts.get(each, 0):,} {each.replace('_', ' ')}",
            _list(("state", each)),
            each in (asked or ()),
        )
        for each in AlertState
        if counts.get(each) or each in (asked or ())
    ]
    everything = ("All", _list(("all", "1")), asked is not None and not asked)
    return [("Now", _list(), asked is None), everything, *of_states]


def _list(*pairs: tuple[str, str]) -> str:
    return f"{ROOT}/alerts?{urlencode(pairs)}" if pairs else f"{ROOT}/alerts"


def _web(link: str | None, *, whole: bool) -> str:
    """Return a link of monitoring's that a browser may follow: others would run what they hold.

    Unless it may be seen `whole`, there is none to where a telephone number is a part of it.
    """
    if not link or not link.lower().startswith(("http://", "https://")):
        return ""
    return link if whole or mask_text(link) == link else ""


def _one(id_: str) -> str:
    return f"{ROOT}/alerts/{quote(id_, safe='')}"

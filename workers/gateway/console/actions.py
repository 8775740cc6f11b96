"""Acting on jobs, one, some or many: proposed with a preview, confirmed with a note, reported."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.client.messages import wake
from dispatcher.model.bulk_action import WORDS, BulkAction, BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.problems.problem import Level
from dispatcher.problems.snapshot import look
from dispatcher.store.audit import LONGEST_NOTE
from dispatcher.store.holds import PauseScope
from dispatcher.values.durations import seconds
from workers.gateway.console.banners import banners
from workers.gateway.console.context import ConsoleContext, redirect
from workers.gateway.console.forms import Fields, query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.search import Search
from workers.gateway.console.sessions import Visitor
from workers.gateway.problems import Problem

AT_ONCE = 1.0
"""Seconds for which the request that starts an action does it itself; workers do the rest."""
VERBS = {
    BulkActionKind.RETRY: ("Retry", "retried", "Dial again"),
    BulkActionKind.CANCEL: ("Cancel", "cancelled", "Cancel"),
    BulkActionKind.REACHED: ("Mark as reached", "marked as reached", "Mark as reached"),
    BulkActionKind.PRIORITISE: ("Prioritise", "given another priority", "Prioritise"),
}
"""What is said of an action before, after, and on the button that does it."""
STATES = {
    "previewed": ("Not started", "plain", "clock"),
    "running": ("Running", "info", "bolt"),
    "stopped": ("Stopped", "warn", "pause"),
    "done": ("Done", "well", "check"),
}
"""How the states of an action look: the words, and the kind and the icon of their badge."""
PAGE = 25
LONGEST_PLACE = 6
"""Digits of a place in the list."""
OFFERED = (BulkActionKind.RETRY, BulkActionKind.CANCEL, BulkActionKind.REACHED)


class Actions:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of the actions, the latest first."""
        after = query(request).one("after")
        skipped = int(after) if after.isdecimal() and len(after) < LONGEST_PLACE else 0
        recent = self._context.store.bulk.recent(PAGE + 1, skipped)
        more = f"{ROOT}/actions?after={skipped + PAGE}" if len(recent) > PAGE else ""
        return self._context.pages.page(
            "actions.html",
            visitor,
            recent=recent[:PAGE],
            verbs=VERBS,
            states=STATES,
            first=f"{ROOT}/actions" if skipped else "",
            older=more,
            now=self._context.store.now(),
        )

    def create(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Show what an action would do; nothing is done yet."""
        what, expires = _kind(fields.one("what")), fields.one("expires")
        found = self._context.store.bulk.preview(
            what,
            _selection(fields),
            expires=seconds(expires) if expires else None,
            uncertain=bool(fields.one("uncertain")),
        )
        self._context.store.bulk.create(found)
        now = look(self._context.store)
        return self._context.pages.page(
            "preview.html",
            visitor,
            found=found,
            verb=VERBS[what],
            words=WORDS,
            excluded={each.reason for each in found.excluded},
            again=_again(fields),
            now=now,
            trouble=[each for each in banners(now) if each.level is Level.BAD],
        )

    def begin(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Do what was previewed, once, however often the form is sent."""
        id_, note = fields.one("action"), noted(fields)
        self._context.store.bulk.begin(id_, actor=visitor.actor, note=note)
        if not self._context.store.bulk.drive(id_, within=AT_ONCE):
            self._context.messenger.retrigger([id_])
        wake(self._context.store, self._context.messenger)
        return redirect(f"{ROOT}/actions/{quote(id_, safe='')}")

    def report(self, request: Request, visitor: Visitor) -> Response:
        """Show the progress of an action, and what was and was not done."""
        found = self._context.store.bulk.get(request.path_params["id"])
        return self._context.pages.page(
            "report.html", visitor, found=found, verb=VERBS[found.kind], words=WORDS, states=STATES
        )

    def stop(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Stop an action; what was done stays done."""
        id_ = request.path_params["id"]
        self._context.store.bulk.stop(id_, actor=visitor.actor, note=noted(fields, needed=False))
        return redirect(f"{ROOT}/actions/{quote(id_, safe='')}")

    def pause(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Hold the calls of a retry that are not dialled yet."""
        found: BulkAction = self._context.store.bulk.get(request.path_params["id"])
        if found.tag is None:
            raise Problem(HTTPStatus.CONFLICT, "only the calls of a retry can be paused")
        self._context.store.holds.pause(
            PauseScope(tag=found.tag),
            actor=visitor.actor,
            note=noted(fields, needed=False),
        )
        return redirect(f"{ROOT}?done=paused")


def noted(fields: Fields, *, needed: bool = True) -> str:
    """Return why somebody acts. Raises Problem."""
    note = fields.one("note")
    if needed and not note:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "there is no note",
            remedy="go back and write why you do this",
        )
    return note[:LONGEST_NOTE]


def _kind(text: str) -> BulkActionKind:
    if text not in OFFERED:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{text[:40]!r} is not an action",
            remedy=f"one of: {', '.join(OFFERED)}",
        )
    return BulkActionKind(text)


def _selection(fields: Fields) -> Filter | tuple[str, ...]:
    if fields.one("which") == "all":
        return Search.of(fields).filter(whole=True)
    ids = fields.many("id")
    if not ids:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no job is ticked",
            remedy="go back and tick jobs, or choose all that match the filter",
        )
    return ids


def _again(fields: Fields) -> list[tuple[str, str]]:
    """Return the fields that ask for the same preview once more."""
    asked = [(name, value) for name in ("what", "which") for value in fields.many(name)[-1:]]
    return [*asked, *(("id", id_) for id_ in fields.many("id")), *Search.of(fields).pairs]

"""Pausing and resuming all calls or some, and checking the balance now."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.states import Priority
from dispatcher.model.tags import tag as one_tag
from dispatcher.store.holds import PauseScope
from workers.gateway.console.actions import noted
from workers.gateway.console.context import ConsoleContext, ours, redirect
from workers.gateway.console.forms import Fields
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor
from workers.gateway.problems import Problem


class Holding:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def pause(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Dial nobody of a scope until it is resumed."""
        scope = _chosen(fields)
        changed = self._context.store.holds.pause(scope, actor=visitor.actor, note=noted(fields))
        return _back(fields, "paused" if changed else "unchanged")

    def resume(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """End a pause."""
        scope = _of_hold(fields.one("hold"))
        note = noted(fields, needed=False)
        changed = self._context.store.holds.resume(scope, actor=visitor.actor, note=note)
        return _back(fields, "resumed" if changed else "unchanged")

    def check_balance(self, _request: Request, visitor: Visitor, _fields: Fields) -> Response:
        """Have the workers, who know the provider, look at the balance at their next tick."""
        self._context.store.budget.request_check()
        self._context.store.audit.record(visitor.actor, "balance.check", "account")
        return redirect(f"{ROOT}?done=balance-check")


def _back(fields: Fields, done: str) -> Response:
    """Go on to the page that the form names, or say on the overview what was done."""
    goal = fields.one("next")
    return redirect(ours(goal) if goal else f"{ROOT}?done={done}")


def _chosen(fields: Fields) -> PauseScope:
    """Return what the form names. Raises Problem."""
    match fields.one("scope"):
        case "all":
            return PauseScope()
        case "tag":
            return PauseScope(tag=_tag(fields.one("tag")))
        case "priority" if fields.one("priority") in set(Priority):
            return PauseScope(priority=Priority(fields.one("priority")))
    raise _no_scope()


def _of_hold(name: str) -> PauseScope:
    """Return the scope of a pause by its gate. Raises Problem."""
    try:
        return PauseScope.of_hold(name)
    except ValueError:
        raise _no_scope() from None


def _tag(text: str) -> str:
    try:
        return one_tag(text)
    except ValueError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the tag: {error}") from None


def _no_scope() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "no calls are chosen",
        remedy="go back and choose: all, those with a tag, or those of a priority",
    )

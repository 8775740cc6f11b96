"""Logging in with a key, and out again."""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.api_key import ApiKey, NotLetIn, Scope
from workers.gateway import evidence
from workers.gateway.console.context import (
    ConsoleContext,
    NotLoggedIn,
    ours,
    redirect,
    require_own_page,
)
from workers.gateway.console.forms import Fields, form, query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor
from workers.gateway.problems import Problem

PAGE = f"{ROOT}/login"


class Login:
    """The routes. A form is good where its token is the one in the browser's own cookie."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._cookie = f"{context.cookie}-form"

    async def show(self, request: Request) -> Response:
        """Show the form, or go on where somebody is logged in already."""
        return await self._context.answer(request, lambda: self._show(request))

    async def enter(self, request: Request) -> Response:
        """Let in who shows a key that may look."""
        try:
            fields = await form(request)
        except Problem as problem:
            return self._context.refusal(problem)
        return await self._context.answer(request, lambda: self._enter(request, fields))

    def leave(self, request: Request, visitor: Visitor, _fields: Fields) -> Response:
        """End the session."""
        evidence.logout(request, visitor.key.id, visitor.name)
        self._context.sessions.close(request.cookies[self._context.cookie])
        response = redirect(PAGE)
        response.delete_cookie(self._context.cookie, path=ROOT)
        return response

    def _show(self, request: Request) -> Response:
        goal = query(request).one("next")
        try:
            self._context.visitor(request)
        except NotLoggedIn:
            return self._form(request, ours(goal))
        return redirect(ours(goal))

    def _enter(self, request: Request, fields: Fields) -> Response:
        require_own_page(request)
        goal = ours(fields.one("next"))
        sent, kept = fields.one("csrf"), request.cookies.get(self._cookie, "")
        if not kept or not hmac.compare_digest(sent.encode(), kept.encode()):
            return self._form(
                request,
                goal,
                "The page has expired, or cookies are off. Try again.",
                forbidden=True,
            )
        try:
            key = self._key(fields.one("key"))
        except NotLetIn as error:
            return self._wrong_key(request, goal, error)
        except Problem as problem:
            evidence.login_failed(request, problem.detail)
            raise
        evidence.login(request, key.id, key.name)
        response = redirect(goal)
        self._set(request, response, self._context.cookie, self._context.sessions.open(key))
        return response

    def _wrong_key(self, request: Request, goal: str, error: NotLetIn) -> Response:
        """Say so, and slow down who goes on trying; a key that is right is let in all the same."""
        address = request.client.host if request.client else ""
        wait = self._context.store.failed_logins.wait(address)
        evidence.login_failed(request, "too many failed log-ins" if wait else "wrong key")
        if wait:
            return self._too_many(request, goal, wait)
        self._context.store.failed_logins.add(address)
        return self._form(request, goal, f"{error}.", forbidden=True)

    def _key(self, text: str) -> ApiKey:
        key = self._context.store.api_keys.authenticate(text)
        if not key.may(Scope.READ):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"the key {key.name} cannot be used here: it needs the scope read or operate",
                remedy="`voice-dispatcher keys create NAME --scope operate` creates one",
            )
        return key

    def _too_many(self, request: Request, goal: str, wait: float) -> Response:
        words = f"Too many failed log-ins. Wait {wait:.0f} s, then try again."
        response = self._form(request, goal, words)
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = f"{wait:.0f}"
        return response

    def _form(
        self, request: Request, goal: str, error: str = "", *, forbidden: bool = False
    ) -> Response:
        token = request.cookies.get(self._cookie) or secrets.token_urlsafe(16)
        status = HTTPStatus.FORBIDDEN if forbidden else HTTPStatus.OK
        response = self._context.pages.page(
            "login.html", None, status, next=goal, csrf=token, error=error
        )
        self._set(request, response, self._cookie, token)
        return response

    def _set(self, request: Request, response: Response, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            path=ROOT,
            httponly=True,
            samesite="strict",
            secure=self._context.secure(request),
        )

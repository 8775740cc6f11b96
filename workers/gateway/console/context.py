"""What all routes of the console stand on: who is there, what they may do, how errors look."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from config.settings import Settings
from dispatcher.client.messages import Messenger
from dispatcher.errors import DispatcherError
from dispatcher.problems.of_processes import redis_refuses
from dispatcher.problems.problem import Level
from dispatcher.problems.problem import Problem as Current
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from workers.gateway.console import times
from workers.gateway.console.forms import Fields, form
from workers.gateway.console.live import Live, by_itself, streamed
from workers.gateway.console.pages import HEADERS, ROOT, Pages
from workers.gateway.console.sessions import Sessions, Visitor
from workers.gateway.problems import Problem, of

Read = Callable[[Request, Visitor], Response]
Write = Callable[[Request, Visitor, Fields], Response]
Run = Callable[[Callable[[], Response]], Awaitable[Response]]
"""Does work in a thread."""
Endpoint = Callable[[Request], Awaitable[Response]]

_OURS = re.compile(rf"{ROOT}(?:[/?][A-Za-z0-9/?&=%+._~:-]*)?", re.ASCII)

TITLES = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.CONFLICT: "This has changed meanwhile",
    HTTPStatus.UNPROCESSABLE_ENTITY: "This cannot be done as it was asked",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available now",
}
"""What a page of an error is called where HTTP's own words are not plain."""


class NotLoggedIn(DispatcherError):
    """Nobody is logged in, or not any more."""


@dataclass(frozen=True)
class ConsoleContext:
    """The console's parts, made once."""

    settings: Settings
    store: Store
    messenger: Messenger
    pages: Pages
    sessions: Sessions
    live: Live

    @classmethod
    def of(
        cls, settings: Settings, store: Store, messenger: Messenger, live: Live
    ) -> ConsoleContext:
        """Return the context on these."""
        sessions = Sessions(store, settings.console_idle, settings.console_session)
        return cls(settings, store, messenger, Pages(settings.flower_url or ""), sessions, live)

    def reading(self, read: Read) -> Endpoint:
        """Return the endpoint of a page that whoever is logged in may see, and of its stream."""

        async def endpoint(request: Request) -> Response:
            def work() -> Response:
                return read(request, self.visitor(request))

            if not streamed(request):
                return await self.answer(request, work)
            look = partial(self.answer, request, work, self.live.run)
            try:
                return await self.live.stream(request, request.cookies.get(self.cookie, ""), look)
            except Problem as full:
                return self.refusal(full)

        return endpoint

    def writing(self, write: Write, *, reading: bool = False) -> Endpoint:
        """Return the endpoint of a form of a page of ours, that only who operates may send.

        `reading`: that whoever is logged in may.
        """

        async def endpoint(request: Request) -> Response:
            try:
                fields = await form(request)
            except Problem as problem:
                return self.refusal(problem)

            def work() -> Response:
                visitor = self.visitor(request)
                self._require(request, visitor, fields, reading=reading)
                return write(request, visitor, fields)

            return await self.answer(request, work)

        return endpoint

    async def answer(
        self,
        request: Request,
        work: Callable[[], Response],
        run: Run = run_in_threadpool,
    ) -> Response:
        """Do the work in a thread; every error that we foresee becomes a page."""
        try:
            return await run(work)
        except NotLoggedIn:
            return self.to_login(request)
        except StoreUnavailable as error:
            away, again = redis_refuses(of(error).detail), request.method == "GET"
            return self._told(HTTPStatus.SERVICE_UNAVAILABLE, away, again=again)
        except DispatcherError as error:
            problem = _of(error)
        except Problem as known:
            problem = known
        return await run(lambda: self.refusal(problem, self._known(request)))

    def visitor(self, request: Request) -> Visitor:
        """Return who is logged in. Raises NotLoggedIn.

        That somebody left a page open does not keep a session.
        """
        secret = request.cookies.get(self.cookie, "")
        found = self.sessions.find(secret, active=not by_itself(request)) if secret else None
        if found is None:
            raise NotLoggedIn
        return replace(found, zone=times.zone_of(request.cookies.get(times.COOKIE, "")))

    def refusal(self, problem: Problem, visitor: Visitor | None = None) -> Response:
        """Return the page of an error, with the ways on for who is logged in."""
        remedy = f"What to do: {problem.remedy}." if problem.remedy else ""
        told = Current(Level.BAD, problem.detail, remedy)
        return self._told(HTTPStatus(problem.status_code), told, visitor)

    def _told(
        self,
        status: HTTPStatus,
        told: Current,
        visitor: Visitor | None = None,
        *,
        again: bool = False,
    ) -> Response:
        title = TITLES.get(status, status.phrase)
        return self.pages.page("problem.html", visitor, status, told=told, title=title, again=again)

    def to_login(self, request: Request) -> Response:
        """Send them to log in, and from there to where they wanted to go, if that was to look."""
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = f"?next={quote(wanted, safe='')}" if request.method in {"GET", "HEAD"} else ""
        return redirect(f"{ROOT}/login{back}")

    @property
    def cookie(self) -> str:
        """The session's cookie. Browsers tell no ports apart: two stacks here have two names."""
        return f"vd-console-{self.settings.gateway_port}"

    def secure(self, request: Request) -> bool:
        """Whether the browser speaks https, to us or to a proxy before us.

        A forged header could only keep a cookie from being sent in clear.
        """
        if "https" in {request.url.scheme, request.headers.get("x-forwarded-proto")}:
            return True
        public = urlsplit(self.settings.public_url or "")
        return public.scheme == "https" and public.netloc == request.headers.get("host")

    def _known(self, request: Request) -> Visitor | None:
        try:
            return self.visitor(request)
        except DispatcherError:
            return None

    def _require(
        self, request: Request, visitor: Visitor, fields: Fields, *, reading: bool
    ) -> None:
        require_own_page(request)
        if not visitor.shows(fields.one("csrf")):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "this form does not come from a page of your session",
                remedy="go back, reload the page, and send it again",
            )
        if not (reading or visitor.operates):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"the key {visitor.name} may see jobs but not change them",
                remedy="log in with a key that has the scope operate",
            )


def require_own_page(request: Request) -> None:
    """Raise Problem where the browser says that another site's page sends this."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "this form was sent by another site",
            remedy="open the console itself",
        )


def _of(error: DispatcherError) -> Problem:
    """Return the problem that an error of ours is to somebody who filled in a form."""
    if not isinstance(error, ValueError):
        return of(error)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), remedy="go back and correct it")


def redirect(to: str) -> Response:
    """Send on to a page of ours, by GET."""
    return RedirectResponse(to, HTTPStatus.SEE_OTHER, headers=HEADERS)


def ours(path: str) -> str:
    """Return where to go on, if it is a page of ours, and else the first one."""
    return path if _OURS.fullmatch(path) else ROOT

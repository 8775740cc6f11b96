"""The security log, where it is a file that this gateway can read."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.security_log import SecurityEvent
from workers.gateway.console.audit import moment
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.security_lines import Line, LineFilter, latest
from workers.gateway.console.sessions import Visitor
from workers.gateway.problems import Problem

PAGE = 100
DIGITS = 15
"""Of a place in the file, at most."""
LONGEST = 100
"""Characters of what is looked for."""
WORDS = {
    SecurityEvent.LOGIN: "logged in",
    SecurityEvent.LOGIN_FAILED: "failed to log in",
    SecurityEvent.LOGOUT: "logged out",
    SecurityEvent.REFUSED: "was refused",
    SecurityEvent.LEFT_OUT: "more refusals without a line of their own",
    SecurityEvent.UNMASKED: "saw whole numbers",
    SecurityEvent.EXPORTED: "exported jobs",
    SecurityEvent.KEY_CREATED: "created a key",
    SecurityEvent.KEY_REVOKED: "revoked a key",
    SecurityEvent.SECRETS_SHOWN: "was shown a secret",
    SecurityEvent.GUARD_WEAKENED: "a setting opens what is closed by default",
}
"""What people read for each event."""


class Security:
    """The route."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context, self._file = context, context.settings.security_log

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of the log, the latest first, to who operates: it names addresses."""
        if not visitor.operates:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"the key {visitor.name} may not see the security log",
                remedy="log in with a key that has the scope operate",
            )
        fields = query(request)
        asked = {name: fields.one(name)[:LONGEST] for name in ("event", "has", "since", "until")}
        wanted, error = _wanted(asked)
        before = fields.one("before")
        lines, older, unread = self._lines(wanted, before)
        return self._context.pages.page(
            "security.html",
            visitor,
            file=self._file,
            unread=unread,
            lines=lines,
            asked=asked,
            error=error,
            words=WORDS,
            first=_list(asked) if before else "",
            older=_list(asked | {"before": str(older)}) if older is not None else "",
        )

    def _lines(self, wanted: LineFilter, before: str) -> tuple[list[Line], int | None, str]:
        """Return the lines, where to go on, and why the file cannot be read."""
        if self._file is None:
            return [], None, ""
        place = int(before) if before.isdecimal() and len(before) <= DIGITS else None
        try:
            return *latest(self._file, PAGE, wanted, place), ""
        except OSError as error:
            return [], None, error.strerror or "it cannot be read"


def _wanted(asked: dict[str, str]) -> tuple[LineFilter, str]:
    """Return what is looked for, and what is wrong with it; with that, everything is."""
    try:
        since, until = moment(asked["since"]), moment(asked["until"])
    except ValueError as error:
        return LineFilter(), str(error)
    return LineFilter(asked["event"], asked["has"], since, until), ""


def _list(asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{ROOT}/security-log?{urlencode(given)}" if given else f"{ROOT}/security-log"

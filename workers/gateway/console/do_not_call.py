"""The do-not-call list: look a number up, put it on, take it off, and see who is on it.

Numbers come in forms alone and never in addresses, which browsers and proxies keep. Pages name an
entry by its keyed hash, so that they hold no whole number.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.do_not_call import LONGEST_REASON, Entry, Who, Wish, scope_of, whom
from dispatcher.store.do_not_call import Added
from dispatcher.values.masking import mask_number
from dispatcher.values.writings import plain
from workers.gateway.console.actions import noted
from workers.gateway.console.context import ConsoleContext, redirect
from workers.gateway.console.forms import Fields, query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

PAGE = 50
LIST = f"{ROOT}/do-not-call"
DONE = {
    "new": "The number is on the list now. Jobs that wait for it end without a call.",
    "longer": "The number was on the list already; it stays on it for longer now.",
    "known": "The number was on the list already. Nothing changed.",
    "removed": "The number is off the list: it may be called again.",
    "gone": "Somebody else has taken it off the list already.",
}
"""What a page may say was done, by the word in its address."""


class DoNotCall:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context, self._list = context, context.store.do_not_call
        self._region = context.settings.region

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show who is on the list, some at a time."""
        fields = query(request)
        cursor = fields.one("cursor")
        page = self._list.page(cursor if cursor.isdecimal() else None, PAGE)
        more = f"{LIST}?{urlencode({'cursor': page.cursor})}" if page.cursor else ""
        return self._page(
            visitor,
            entries=page.entries,
            first=LIST if cursor else "",
            more=more,
            done=DONE.get(fields.one("done"), ""),
        )

    def look_up(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Show the entries of one number."""
        who = self._whom(fields)
        return self._page(visitor, looked_up=_masked(who), found=self._list.check(who))

    def add(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Put a number on the list; say where it may be called at this moment."""
        wish = Wish.of(
            _number(fields),
            region=self._region_of(fields),
            reason=fields.one("reason"),
            until=fields.one("until") or None,
            tag=fields.one("tag") or None,
            keep=not fields.one("hash"),
        )
        done = self._list.add([wish], actor=visitor.actor)
        if not done.calling:
            return redirect(_done(done.answers[0]))
        return self._page(visitor, done=DONE[done.answers[0]], calling=done)

    def remove(self, _request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Take an entry off the list."""
        who, note = whom(fields.one("hash")), noted(fields, needed=False)
        tag = scope_of(fields.one("tag")) or ""
        (gone,) = self._list.remove([who], actor=visitor.actor, tag=tag, note=note)
        return redirect(_done("removed" if gone else "gone"))

    def _whom(self, fields: Fields) -> Who:
        return whom(_number(fields), self._region_of(fields))

    def _region_of(self, fields: Fields) -> str | None:
        """Return how the number is written, where it has no country code."""
        return fields.one("region") or self._region

    def _page(
        self,
        visitor: Visitor,
        *,
        entries: Sequence[Entry] | None = None,
        looked_up: str = "",
        found: Sequence[Entry] | None = None,
        first: str = "",
        more: str = "",
        done: str = "",
        calling: Added | None = None,
    ) -> Response:
        """Return the page: `entries` of the list, or those of the number that was looked up."""
        return self._context.pages.page(
            "do_not_call.html",
            visitor,
            size=self._list.size(),
            entries=entries,
            looked_up=looked_up,
            found=found,
            first=first,
            more=more,
            done=done,
            calling=calling.calling if calling else [],
            region=self._region or "",
            longest=LONGEST_REASON,
            now=self._context.store.now(),
        )


def _number(fields: Fields) -> str:
    """Return the number as it was typed; one with its country code may have blanks and the like."""
    text = fields.one("number")
    return (plain(text) or text) if text.startswith("+") else text


def _masked(who: Who) -> str:
    return mask_number(who) if isinstance(who, str) else str(who)


def _done(word: str) -> str:
    return f"{LIST}?done={word}"

"""Caps: how many there may be at once, in all and of one client, and what is said of more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from workers.gateway.problems import AGAIN, Problem


@dataclass(frozen=True, slots=True)
class Cap:
    """`most` of `what` (in the plural), which a setting says."""

    what: str
    most: int
    setting: str


@dataclass(frozen=True, slots=True)
class Full:
    """There is no place: `taken` of a cap's. `own`: the client's own doing."""

    cap: Cap
    taken: int
    own: bool

    def problem(self, headers: dict[str, str] | None = None) -> Problem:
        """Return what the client is told: 429 where it has too much itself, else 503."""
        cap = self.cap
        whose = "of yours " if self.own else ""
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS if self.own else HTTPStatus.SERVICE_UNAVAILABLE,
            f"{self.taken} {cap.what} {whose}are under way, and {cap.setting} allows {cap.most}",
            remedy=f"try again in {AGAIN} s" + (", and do less at once" if self.own else ""),
            headers={"Retry-After": AGAIN, **(headers or {})},
        )


class Places:
    """Places for what lasts, in all and for each client."""

    def __init__(self, in_all: Cap, of_one: Cap) -> None:
        self._in_all, self._of_one = in_all, of_one
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Take a place. Raises Problem where there is none."""
        if full := self._full(client):
            raise full.problem()
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]

    def _full(self, client: str) -> Full | None:
        mine, all_ = self._taken[client], self._taken.total()
        if mine >= self._of_one.most:
            return Full(self._of_one, mine, own=True)
        return Full(self._in_all, all_, own=False) if all_ >= self._in_all.most else None
